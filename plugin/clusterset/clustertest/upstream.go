package clustertest

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"

	"github.com/miekg/dns"
	"github.com/quic-go/quic-go"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Upstream is an upstream over streams (TCP, TLS, HTTPS or QUIC) that does what a test wants
// with each query. Its connections stay open unless the test, or the client, closes them.
type Upstream struct {
	Addr netip.AddrPort
	// Stop stops it, and waits until its connections are gone.
	Stop func()

	serve func(*Asked)
	mu    sync.Mutex
	conns map[any]func() // by connection: how it is closed
	seen  int
}

// Asked is a query that came to an Upstream. It may be answered later.
type Asked struct {
	Query *dns.Msg
	// Conn is what the query came over, comparable, and From the client's address there.
	Conn any
	From netip.AddrPort

	upstream *Upstream
	reply    func(msg []byte)
	write    io.Writer
}

// NewUpstream starts an upstream on a free port of 127.0.0.1, with config for all but TCP;
// the test's end stops it.
func NewUpstream(t testing.TB, scheme model.Scheme, config *tls.Config, serve func(*Asked)) *Upstream {
	t.Helper()
	u := &Upstream{serve: serve, conns: make(map[any]func())}
	switch scheme {
	case model.HTTPS:
		u.Addr, u.Stop = serveHTTPS(t, Loopback, config, u.http, u.closed)
	case model.QUIC:
		u.Addr, u.Stop = serveQUIC(t, Loopback, config, &quic.Config{MaxIncomingStreams: 1000}, u.quic)
	default:
		u.listen(t, config)
	}
	return u
}

// Reply sends a message, as the transport has it. The client may be gone.
func (a *Asked) Reply(m *dns.Msg) {
	if b, err := m.Pack(); err == nil {
		a.reply(b)
	}
}

// Answer replies with an address, 10.101.0.1.
func (a *Asked) Answer() {
	m := new(dns.Msg).SetReply(a.Query)
	rr, _ := dns.NewRR(a.Query.Question[0].Name + " 5 IN A 10.101.0.1")
	m.Answer = []dns.RR{rr}
	a.Reply(m)
}

// Write sends bytes where a reply goes.
func (a *Asked) Write(b []byte) (int, error) { return a.write.Write(b) }

// Close closes the connection.
func (a *Asked) Close() {
	a.upstream.mu.Lock()
	end := a.upstream.conns[a.Conn]
	a.upstream.mu.Unlock()
	if end != nil {
		end()
	}
}

// Drop closes the connections that queries came over, and returns their number.
func (u *Upstream) Drop() int {
	u.mu.Lock()
	conns := u.conns
	u.conns = make(map[any]func())
	u.mu.Unlock()
	for _, end := range conns {
		end()
	}
	return len(conns)
}

// Open returns how many connections are open that queries came over.
func (u *Upstream) Open() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.conns)
}

// Seen returns how many connections queries came over.
func (u *Upstream) Seen() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.seen
}

func (u *Upstream) add(conn any, end func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.conns[conn] == nil {
		u.conns[conn] = end
		u.seen++
	}
}

func (u *Upstream) closed(conn any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.conns, conn)
}

// listen serves TCP, or TLS.
func (u *Upstream) listen(t testing.TB, config *tls.Config) {
	t.Helper()
	listener, err := net.Listen("tcp", Loopback)
	if err != nil {
		t.Fatal(err)
	}
	u.Addr = listener.Addr().(*net.TCPAddr).AddrPort()
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { u.frames(conn) })
		}
	})
	u.Stop = func() {
		_ = listener.Close()
		u.Drop()
		running.Wait()
	}
	t.Cleanup(u.Stop)
}

// frames serves a connection, one query after the other, as many servers do.
func (u *Upstream) frames(conn net.Conn) {
	defer u.closed(conn)
	defer conn.Close()
	for {
		query, err := ReadFrame(conn)
		if err != nil {
			return
		}
		u.add(conn, func() { _ = conn.Close() })
		u.ask(query, &Asked{Conn: conn, From: conn.RemoteAddr().(*net.TCPAddr).AddrPort(), write: conn, reply: func(b []byte) { WriteFrame(conn, b) }})
	}
}

func (u *Upstream) ask(query []byte, a *Asked) {
	a.Query, a.upstream = new(dns.Msg), u
	if a.Query.Unpack(query) == nil {
		u.serve(a)
	}
}

// http serves a request, which lasts until it is answered or given up.
func (u *Upstream) http(w http.ResponseWriter, r *http.Request) {
	query, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	conn := r.Context().Value(connKey{}).(net.Conn)
	u.add(conn, func() { _ = conn.(*tls.Conn).NetConn().Close() })
	w.Header().Set("Content-Type", "application/dns-message")
	done := make(chan struct{})
	u.ask(query, &Asked{Conn: conn, From: netip.MustParseAddrPort(r.RemoteAddr), write: flushed{w}, reply: func(b []byte) {
		_, _ = w.Write(b)
		close(done)
	}})
	select {
	case <-done:
	case <-r.Context().Done():
	}
}

// flushed is a response whose bytes are sent at once.
type flushed struct{ http.ResponseWriter }

func (f flushed) Write(b []byte) (int, error) {
	n, err := f.ResponseWriter.Write(b)
	f.ResponseWriter.(http.Flusher).Flush()
	return n, err
}

func (u *Upstream) quic(conn *quic.Conn, stream *quic.Stream) {
	query, err := ReadFrame(stream)
	if err != nil {
		return
	}
	u.add(conn, func() { _ = conn.CloseWithError(0, "") })
	context.AfterFunc(conn.Context(), func() { u.closed(conn) })
	u.ask(query, &Asked{Conn: conn, From: conn.RemoteAddr().(*net.UDPAddr).AddrPort(), write: stream, reply: func(b []byte) {
		WriteFrame(stream, b)
		_ = stream.Close()
	}})
}
