package exchange

import (
	"context"
	"errors"
	"net"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"

	"github.com/coredns/coredns/plugin/pkg/proxy"
	"github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/coredns/coredns/request"

	"github.com/miekg/dns"
)

// streamTransport asks one upstream over TCP, TLS, HTTPS or QUIC. It stands on
// CoreDNS's plugin/pkg/proxy, which keeps the connections; it adds what that
// leaves out: the query's deadline and context, and an end that leaves nothing
// behind.
type streamTransport struct {
	address model.Upstream
	tls     *TLSConfig

	mu      sync.Mutex
	proxy   *proxy.Proxy // made by the first query
	http    *http.Client // of an https upstream
	closed  bool
	pending sync.WaitGroup
}

// streamTimeout bounds how long the proxy waits for a reply that nobody wants
// any more: it does not look at the context.
const streamTimeout = 2 * time.Second

// redials is how often a kept connection that the upstream has closed meanwhile
// may be replaced within one query.
const redials = 3

func newStream(address model.Upstream, tls *TLSConfig) *streamTransport {
	return &streamTransport{address: address, tls: tls}
}

type streamReply struct {
	msg   *dns.Msg
	local net.Addr
	err   error
}

// exchange asks for q and waits for the reply until deadline.
func (t *streamTransport) exchange(ctx context.Context, q *dns.Msg, deadline time.Time) (*dns.Msg, net.Addr, error) {
	p, err := t.begin()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	query := q.Copy() // the proxy writes an id of its own into it
	done := make(chan streamReply, 1)
	go func() {
		defer t.pending.Done()
		done <- connect(ctx, p, query)
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return nil, r.local, plain(r.err)
		}
		if !answers(r.msg, q) {
			return nil, r.local, errMismatch
		}
		return r.msg, r.local, nil
	case <-ctx.Done():
		return nil, nil, plain(ctx.Err())
	}
}

func connect(ctx context.Context, p *proxy.Proxy, query *dns.Msg) (r streamReply) {
	state := request.Request{Req: query, W: streamClient{}}
	for range redials {
		r.msg, r.local, _, r.err = p.Connect(ctx, state, proxy.Options{ForceTCP: true})
		if !errors.Is(r.err, proxy.ErrCachedClosed) {
			break
		}
	}
	return r
}

// begin gives the proxy and counts the query in; the query counts itself out.
func (t *streamTransport) begin() (*proxy.Proxy, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, errClosed
	}
	if t.proxy == nil {
		t.open()
	}
	t.pending.Add(1)
	return t.proxy, nil
}

var protocols = map[model.Scheme]string{
	model.DNS: transport.DNS, model.TCP: transport.DNS, model.DoT: transport.TLS,
	model.HTTPS: transport.HTTPS, model.QUIC: transport.QUIC,
}

func (t *streamTransport) open() {
	p := proxy.NewProxy("clusterset", t.address.Addr.String(), protocols[t.address.Scheme])
	// The proxy's finalizer would stop it a second time, which panics; close
	// stops it when its member leaves, not when the collector finds it.
	runtime.SetFinalizer(p, nil)
	if t.address.Scheme == model.HTTPS {
		t.http = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone(), Timeout: streamTimeout}
		p.SetHTTPClient(t.http)
		p.SetDOHRequestOptions(http.MethodPost)
		p.SetDOHHost(t.tls.config.ServerName)
	}
	if t.address.Encrypted() {
		p.SetTLSConfig(t.tls.forUpstream())
	}
	p.SetReadTimeout(streamTimeout)
	p.Start(time.Second)
	t.proxy = p
}

// close ends the connections and waits for the queries in flight.
func (t *streamTransport) close() {
	t.mu.Lock()
	t.closed = true
	p := t.proxy
	t.mu.Unlock()
	if p == nil {
		return
	}
	t.pending.Wait()
	p.Stop()
	if t.address.Scheme != model.QUIC {
		p.GetTransport().Stop()
	}
	if t.http != nil {
		t.http.CloseIdleConnections()
	}
}

// streamClient is the writer that the proxy asks for the client's protocol, and
// so for the size of a reply it may take.
type streamClient struct{ dns.ResponseWriter }

func (streamClient) RemoteAddr() net.Addr { return &net.TCPAddr{} }
