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
	protocol "github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/coredns/coredns/request"

	"github.com/miekg/dns"
)

// proxied asks one upstream over HTTPS or QUIC. It stands on CoreDNS's
// plugin/pkg/proxy, which keeps the connections; it adds what that leaves out: the
// query's end, and an end that leaves nothing behind.
type proxied struct {
	address model.Upstream
	tls     *TLSConfig
	// timeout bounds how long the proxy waits for a reply that nobody wants any
	// more: it does not look at the context.
	timeout time.Duration

	mu      sync.Mutex
	pool    *pool // made by the first query
	closed  bool
	open    map[*waiting]struct{} // one for each query in flight
	pending sync.WaitGroup
}

// pool is a proxy, which keeps connections.
type pool struct {
	*proxy.Proxy
	http *http.Client // of an https upstream
}

func newProxied(address model.Upstream, tls *TLSConfig, timeout time.Duration) *proxied {
	return &proxied{address: address, tls: tls, timeout: timeout, open: make(map[*waiting]struct{})}
}

// send implements transport.
func (t *proxied) send(c *call, n int, _ bool) error {
	query := new(dns.Msg) // the proxy writes an id of its own into it
	if err := query.Unpack(c.wire.msg); err != nil {
		return err
	}
	one := newWaiting(nil)
	id, err := one.add(c, n)
	if err != nil {
		return err
	}
	p, err := t.begin(&one)
	if err != nil {
		return err
	}
	asked := c.wire.asked
	c.sends[n].conn, c.sends[n].id = &one, id
	go func() {
		defer t.pending.Done()
		ctx, cancel := context.WithTimeout(context.Background(), t.timeout)
		defer cancel()
		r := t.connect(ctx, p, query)
		one.settle(id, r.outcome(asked))
		t.mu.Lock()
		delete(t.open, &one)
		t.mu.Unlock()
	}()
	return nil
}

// fail implements transport.
func (t *proxied) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for one := range t.open {
		one.close(err)
	}
}

type proxyReply struct {
	msg   *dns.Msg
	local net.Addr
	err   error
}

func (r proxyReply) outcome(asked dns.Question) outcome {
	switch {
	case r.err != nil:
		return outcome{err: proxyError(r.err), local: r.local}
	case !answers(r.msg, asked):
		return outcome{err: errMismatch, local: r.local}
	}
	return outcome{msg: r.msg, local: r.local}
}

// connect asks over a kept connection or a new one. A kept one that the upstream
// has closed says nothing but that it may have been started again: then so are
// all that are kept with it, and the query is asked once more, on a new one.
func (t *proxied) connect(ctx context.Context, p *pool, query *dns.Msg) proxyReply {
	r := p.ask(ctx, query)
	if !wasClosed(r.err) || ctx.Err() != nil {
		return r
	}
	p, err := t.renew(p)
	if err != nil {
		return proxyReply{err: err}
	}
	return p.ask(ctx, query)
}

func (p *pool) ask(ctx context.Context, query *dns.Msg) (r proxyReply) {
	state := request.Request{Req: query}
	r.msg, r.local, _, r.err = p.Connect(ctx, state, proxy.Options{})
	return r
}

func wasClosed(err error) bool {
	return errors.Is(err, proxy.ErrCachedClosed) || closedByPeer(err)
}

// proxyError tells a reply that can't be parsed from no reply.
func proxyError(err error) error {
	if _, malformed := errors.AsType[*dns.Error](err); malformed {
		return errMalformed
	}
	return plain(err)
}

// begin gives the pool and counts the query in; the query counts itself out.
func (t *proxied) begin(one *waiting) (*pool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, errClosed
	}
	if t.pool == nil {
		t.pool = t.dial()
	}
	t.pending.Add(1)
	t.open[one] = struct{}{}
	return t.pool, nil
}

// renew gives a pool in the place of old, whose connections are closed.
func (t *proxied) renew(old *pool) (*pool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, errClosed
	}
	if t.pool == old {
		t.pool = t.dial()
		t.stop(old)
	}
	return t.pool, nil
}

var protocols = map[model.Scheme]string{model.HTTPS: protocol.HTTPS, model.QUIC: protocol.QUIC}

func (t *proxied) dial() *pool {
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
	p.SetTLSConfig(t.tls.forUpstream())
	p.SetReadTimeout(t.timeout)
	p.Start(time.Second)
	return p
}

// stop closes the connections that p keeps; those in use are closed after it.
func (t *proxied) stop(p *pool) {
	p.Stop()
	if t.address.Scheme != model.QUIC {
		p.GetTransport().Stop()
	}
	if p.http != nil {
		p.http.CloseIdleConnections()
	}
}

// close implements transport. It waits for the proxy, which has no other end than
// its timeout.
func (t *proxied) close() {
	t.mu.Lock()
	p := t.pool
	t.closed, t.pool = true, nil
	t.mu.Unlock()
	t.fail(errClosed)
	if p != nil {
		t.pending.Wait()
		t.stop(p)
	}
}
