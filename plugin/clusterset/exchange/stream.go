package exchange

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"syscall"
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
	// timeout bounds how long the proxy waits for a reply that nobody wants any
	// more: it does not look at the context.
	timeout time.Duration

	mu      sync.Mutex
	pool    *pool // made by the first query
	closed  bool
	pending sync.WaitGroup
}

// pool is a proxy, which keeps connections.
type pool struct {
	*proxy.Proxy
	http *http.Client // of an https upstream
}

func newStream(address model.Upstream, tls *TLSConfig, timeout time.Duration) *streamTransport {
	return &streamTransport{address: address, tls: tls, timeout: timeout}
}

type streamReply struct {
	msg   *dns.Msg
	local net.Addr
	err   error
}

// exchange asks for q and waits for the reply until deadline.
func (t *streamTransport) exchange(ctx context.Context, q *Query, deadline time.Time) (*dns.Msg, net.Addr, error) {
	p, err := t.begin()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	query := q.message() // the proxy writes an id of its own into it
	done := make(chan streamReply, 1)
	go func() {
		defer t.pending.Done()
		done <- t.connect(ctx, p, query)
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return nil, r.local, streamError(r.err)
		}
		if !answers(r.msg, q) {
			return nil, r.local, errMismatch
		}
		return r.msg, r.local, nil
	case <-ctx.Done():
		return nil, nil, plain(ctx.Err())
	}
}

// connect asks over a kept connection or a new one. A kept one that the upstream
// has closed says nothing but that it may have been started again: then so are
// all that are kept with it, and the query is asked once more, on a new one.
func (t *streamTransport) connect(ctx context.Context, p *pool, query *dns.Msg) streamReply {
	r := p.ask(ctx, query)
	if !wasClosed(r.err) || ctx.Err() != nil {
		return r
	}
	p, err := t.renew(p)
	if err != nil {
		return streamReply{err: err}
	}
	return p.ask(ctx, query)
}

func (p *pool) ask(ctx context.Context, query *dns.Msg) (r streamReply) {
	state := request.Request{Req: query, W: streamClient{}}
	r.msg, r.local, _, r.err = p.Connect(ctx, state, proxy.Options{ForceTCP: true})
	return r
}

func wasClosed(err error) bool {
	return errors.Is(err, proxy.ErrCachedClosed) || errors.Is(err, io.EOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// streamError tells a reply that can't be parsed from no reply.
func streamError(err error) error {
	if _, malformed := errors.AsType[*dns.Error](err); malformed {
		return errMalformed
	}
	return plain(err)
}

// begin gives the pool and counts the query in; the query counts itself out.
func (t *streamTransport) begin() (*pool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, errClosed
	}
	if t.pool == nil {
		t.pool = t.open()
	}
	t.pending.Add(1)
	return t.pool, nil
}

// renew gives a pool in the place of old, whose connections are closed.
func (t *streamTransport) renew(old *pool) (*pool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, errClosed
	}
	if t.pool == old {
		t.pool = t.open()
		t.stop(old)
	}
	return t.pool, nil
}

var protocols = map[model.Scheme]string{
	model.DNS: transport.DNS, model.TCP: transport.DNS, model.DoT: transport.TLS,
	model.HTTPS: transport.HTTPS, model.QUIC: transport.QUIC,
}

func (t *streamTransport) open() *pool {
	p := &pool{Proxy: proxy.NewProxy("clusterset", t.address.Addr.String(), protocols[t.address.Scheme])}
	// The proxy's finalizer would stop it a second time, which panics; we stop it
	// when its member leaves, not when the collector finds it.
	runtime.SetFinalizer(p.Proxy, nil)
	if t.address.Scheme == model.HTTPS {
		p.http = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone(), Timeout: t.timeout}
		p.SetHTTPClient(p.http)
		p.SetDOHRequestOptions(http.MethodPost)
		p.SetDOHHost(t.tls.config.ServerName)
	}
	if t.address.Encrypted() {
		p.SetTLSConfig(t.tls.forUpstream())
	}
	p.SetReadTimeout(t.timeout)
	p.Start(time.Second)
	return p
}

// stop closes the connections that p keeps; those in use are closed after it.
func (t *streamTransport) stop(p *pool) {
	p.Stop()
	if t.address.Scheme != model.QUIC {
		p.GetTransport().Stop()
	}
	if p.http != nil {
		p.http.CloseIdleConnections()
	}
}

// close ends the connections and waits for the queries in flight.
func (t *streamTransport) close() {
	t.mu.Lock()
	t.closed = true
	p := t.pool
	t.mu.Unlock()
	if p != nil {
		t.pending.Wait()
		t.stop(p)
	}
}

// streamClient is the writer that the proxy asks for the client's protocol, and
// so for the size of a reply it may take.
type streamClient struct{ dns.ResponseWriter }

func (streamClient) RemoteAddr() net.Addr { return &net.TCPAddr{} }
