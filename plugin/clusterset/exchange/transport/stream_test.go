package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// streamUpstream is an upstream over TCP that does what a test wants with each
// query; its connections stay open unless the test closes them.
type streamUpstream struct {
	listener net.Listener
	serve    func(*dns.Conn, *dns.Msg)
	running  sync.WaitGroup
	dropped  [Drops]atomic.Int64 // of its replies

	mu    sync.Mutex
	conns []net.Conn
}

// streamTimeout is the longest that these queries may take.
const streamTimeout = clustertest.Plenty

// newStreamTest gives an upstream and the transport that asks it. Both end with
// the test, the upstream first: then nothing waits for it.
func newStreamTest(t *testing.T, serve func(*dns.Conn, *dns.Msg)) (*streamUpstream, *streams) {
	t.Helper()
	return newStreamTestOver(t, model.TCP, nil, nil, serve)
}

func newStreamTestOver(t *testing.T, scheme model.Scheme, config *tls.Config, credentials *TLSConfig, serve func(*dns.Conn, *dns.Msg)) (*streamUpstream, *streams) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := listener.Addr().(*net.TCPAddr).AddrPort()
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	u := &streamUpstream{listener: listener, serve: serve}
	u.running.Go(u.accept)
	dropped := func(why Drop) { u.dropped[why].Add(1) }
	s := newTransport(model.Upstream{Scheme: scheme, Addr: addr}, credentials, dropped).(*streams)
	t.Cleanup(func() {
		u.listener.Close()
		u.drop()
		u.running.Wait()
		s.Close()
	})
	return u, s
}

func (u *streamUpstream) accept() {
	for {
		conn, err := u.listener.Accept()
		if err != nil {
			return
		}
		u.mu.Lock()
		u.conns = append(u.conns, conn)
		u.mu.Unlock()
		u.running.Go(func() {
			framed := &dns.Conn{Conn: conn}
			for {
				query, err := framed.ReadMsg()
				if err != nil {
					return
				}
				u.serve(framed, query)
			}
		})
	}
}

// drop closes the connections there are, and gives their number.
func (u *streamUpstream) drop() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, conn := range u.conns {
		conn.Close()
	}
	dropped := len(u.conns)
	u.conns = nil
	return dropped
}

// replyWith replies with what change makes of the right reply.
func replyWith(change func(*dns.Msg)) func(*dns.Conn, *dns.Msg) {
	return func(conn *dns.Conn, query *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(query)
		rr, _ := dns.NewRR(query.Question[0].Name + " 5 IN A 10.101.0.1")
		m.Answer = []dns.RR{rr}
		change(m)
		_ = conn.WriteMsg(m) // the client may be gone
	}
}

var replyRight = replyWith(func(*dns.Msg) {})

// TestStreamReplies: whatever an upstream does, the query ends by its deadline,
// and what doesn't answer the question is waited past.
func TestStreamReplies(t *testing.T) {
	const silence, canceled = "no reply", "context canceled"
	tests := []struct {
		name  string
		serve func(*dns.Conn, *dns.Msg)
		err   error  // nil for an answer
		text  string // the error's
		drop  Drop   // counted once, unless it is Drops
	}{
		{"right", replyRight, nil, "", Drops},
		{"in another case", replyWith(func(m *dns.Msg) { m.Question[0].Name = "WEB.default.svc.cluster.local." }), nil, "", Drops},
		{"accepts and never answers", func(*dns.Conn, *dns.Msg) {}, ErrNoReply, silence, Drops},
		{"another id", replyWith(func(m *dns.Msg) { m.Id++ }), context.Canceled, canceled, DropUnknown},
		{"closes", func(c *dns.Conn, _ *dns.Msg) { c.Close() }, io.EOF, "EOF", Drops},
		{"closes in the middle of a frame", func(c *dns.Conn, _ *dns.Msg) {
			_, _ = c.Conn.Write([]byte{0, 100, 1, 2, 3})
			c.Close()
		}, io.ErrUnexpectedEOF, "unexpected EOF", Drops},
		{"stops in the middle of a frame", func(c *dns.Conn, _ *dns.Msg) { _, _ = c.Conn.Write([]byte{0, 100, 1, 2, 3}) }, ErrNoReply, silence, Drops},
		{"another name", replyWith(func(m *dns.Msg) { m.Question[0].Name = "wev.default.svc.cluster.local." }), context.Canceled, canceled, DropQuestion},
		{"another type", replyWith(func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAAAA }), context.Canceled, canceled, DropQuestion},
		{"another class", replyWith(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }), context.Canceled, canceled, DropQuestion},
		{"no question", replyWith(func(m *dns.Msg) { m.Question = nil }), context.Canceled, canceled, DropQuestion},
		{"two questions", replyWith(func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }), context.Canceled, canceled, DropQuestion},
		{"a query", replyWith(func(m *dns.Msg) { m.Response = false }), context.Canceled, canceled, DropQuestion},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			u, s := newStreamTest(t, tt.serve)
			timeout := clustertest.Plenty
			if tt.text == silence && tt.drop == Drops {
				timeout = 300 * time.Millisecond
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if tt.drop != Drops { // the query waits on, until it is given up
				go func() {
					clustertest.WaitFor(t, func() bool { return u.dropped[tt.drop].Load() > 0 })
					cancel()
				}()
			}
			start := time.Now()
			m, err := askStream(ctx, s, timeout)
			took := time.Since(start)
			for why := range Drops {
				if n := u.dropped[why].Load(); (n == 1) != (why == tt.drop) {
					t.Errorf("%d replies dropped as %s", n, why)
				}
			}
			if tt.err == nil {
				wantAddress(t, m, err)
				return
			}
			if m != nil || err == nil || err.Error() != tt.text || !errors.Is(err, tt.err) {
				t.Errorf("reply %v, error %v; want %s", m, err, tt.text)
			}
			if tt.text == silence && tt.drop == Drops && took < timeout {
				t.Errorf("took %v, want %v", took, timeout)
			}
		})
	}
}

// TestStreamContext: a query whose client is gone ends at once.
func TestStreamContext(t *testing.T) {
	arrived := make(chan struct{}, 1)
	_, s := newStreamTest(t, func(*dns.Conn, *dns.Msg) { arrived <- struct{}{} })
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-arrived
		cancel()
	}()
	start := time.Now()
	_, err := askStream(ctx, s, time.Minute)
	if !errors.Is(err, context.Canceled) || time.Since(start) > clustertest.Plenty {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

// TestStreamKept: connections are kept, and a query succeeds though the upstream
// has closed every one of them meanwhile, as it does when they idle or it starts
// again.
func TestStreamKept(t *testing.T) {
	tests := []struct {
		name string
		kept int
	}{
		{"one closed", 1},
		{"two closed", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			arrived, release := make(chan struct{}, tt.kept+2), make(chan struct{})
			u, s := newStreamTest(t, func(conn *dns.Conn, query *dns.Msg) {
				arrived <- struct{}{}
				<-release
				replyRight(conn, query)
			})
			var asked sync.WaitGroup
			for range tt.kept { // at the same time, each on a connection of its own
				asked.Go(func() {
					if _, err := askStream(context.Background(), s, clustertest.Plenty); err != nil {
						t.Error(err)
					}
				})
			}
			for range tt.kept {
				<-arrived
			}
			close(release)
			asked.Wait()
			if n := u.drop(); n != tt.kept {
				t.Fatalf("%d connections, want %d", n, tt.kept)
			}
			m, err := askStream(context.Background(), s, clustertest.Plenty)
			wantAddress(t, m, err)
		})
	}
}

// TestStreamClose: close with queries in flight, some of them given up by their
// callers, leaves no connection and no goroutine; and nothing is asked after it.
func TestStreamClose(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	const queries = 10
	arrived := make(chan struct{}, queries)
	u, s := newStreamTest(t, func(*dns.Conn, *dns.Msg) { arrived <- struct{}{} })
	var asked sync.WaitGroup
	for i := range queries {
		timeout := time.Minute
		if i%2 == 0 {
			timeout = 100 * time.Millisecond
		}
		asked.Go(func() {
			if m, err := askStream(context.Background(), s, timeout); err == nil {
				t.Errorf("an answer: %v", m)
			}
		})
	}
	for range queries {
		<-arrived
	}
	start := time.Now()
	s.Close()
	if took := time.Since(start); took > streamTimeout {
		t.Errorf("close took %v", took)
	}
	if n := len(s.all()); n != 0 {
		t.Errorf("%d connections are left", n)
	}
	u.listener.Close()
	ended := make(chan struct{})
	go func() {
		u.running.Wait() // reads the end of each connection
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(streamTimeout):
		t.Error("connections are left")
	}
	asked.Wait()
	if _, err := askStream(context.Background(), s, time.Second); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed transport: %v", err)
	}
	goleak.VerifyNone(t, ignore)
}

// TestStreamUnused: a transport that was never asked has nothing to end.
func TestStreamUnused(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	s := newTransport(model.Upstream{Scheme: model.TCP, Addr: netip.MustParseAddrPort("127.0.0.1:9")}, nil, nil)
	s.Close()
	goleak.VerifyNone(t, ignore)
}

// TestManyKeptConnections: an upstream that was started again has closed all the
// connections that were kept to it, and the next query is answered.
func TestManyKeptConnections(t *testing.T) {
	const many = streamConns
	var arrived sync.WaitGroup
	arrived.Add(many)
	u, s := newStreamTest(t, func(conn *dns.Conn, query *dns.Msg) {
		if query.Question[0].Qtype == dns.TypeTXT { // of the burst: each on a connection of its own
			arrived.Done()
			arrived.Wait()
		}
		replyRight(conn, query)
	})
	var asked sync.WaitGroup
	for range many {
		asked.Go(func() {
			q := question("web.default.svc.cluster.local.")
			q.Type = dns.TypeTXT
			if _, err := askOver(context.Background(), s, q, streamTimeout); err != nil {
				t.Error(err)
			}
		})
	}
	asked.Wait()
	if n := u.drop(); n < many {
		t.Fatalf("%d connections, want %d", n, many)
	}
	if _, err := askStream(context.Background(), s, streamTimeout); err != nil {
		t.Error(err)
	}
}
