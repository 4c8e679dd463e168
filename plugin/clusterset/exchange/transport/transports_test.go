package transport

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// overStreams runs a test over each transport for streams: what they have in common.
func overStreams(t *testing.T, test func(t *testing.T, scheme model.Scheme)) {
	for _, scheme := range []model.Scheme{model.TCP, model.DoT, model.HTTPS, model.QUIC} {
		t.Run(string(scheme), func(t *testing.T) { test(t, scheme) })
	}
}

// TestReplies: whatever an upstream does, the query ends by its deadline.
func TestReplies(t *testing.T) {
	cut := func(err error) bool { return isCutShort(err) }
	none := func(err error) bool { return errors.Is(err, ErrNoReply) }
	tests := []struct {
		name  string
		serve func(*clustertest.Asked)
		fails func(error) bool // nil for an answer
	}{
		{"right", replyRight, nil},
		{"in another case", replyWith(func(m *dns.Msg) { m.Question[0].Name = "WEB.default.svc.cluster.local." }), nil},
		{"large", replyWith(func(m *dns.Msg) {
			for range 1000 {
				m.Extra = append(m.Extra, m.Answer[0])
			}
		}), nil},
		{"accepts and never answers", func(*clustertest.Asked) {}, none},
		{"closes", (*clustertest.Asked).Close, cut},
		{"closes in the middle", func(a *clustertest.Asked) {
			_, _ = a.Write([]byte{0, 100, 1, 2, 3})
			a.Close()
		}, cut},
		{"stops in the middle", func(a *clustertest.Asked) { _, _ = a.Write([]byte{0, 100, 1, 2, 3}) }, none},
	}
	overStreams(t, func(t *testing.T, scheme model.Scheme) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				_, s := newTest(t, scheme, tt.serve)
				timeout := clustertest.Plenty
				if tt.fails != nil && tt.fails(ErrNoReply) {
					timeout = 300 * time.Millisecond
				}
				start := time.Now()
				m, err := askStream(t.Context(), s, timeout)
				if tt.fails == nil {
					wantAddress(t, m, err)
					return
				}
				if m != nil || err == nil || !tt.fails(err) {
					t.Errorf("reply %v, error %v", m, err)
				}
				if took := time.Since(start); errors.Is(err, ErrNoReply) && took < timeout {
					t.Errorf("took %v, want %v", took, timeout)
				}
			})
		}
	})
}

// TestWrongReplies: over a connection with many queries in flight, a reply that doesn't
// answer the question is waited past, as its id may be another's; of a request's own reply
// it is the end.
func TestWrongReplies(t *testing.T) {
	tests := map[string]func(*dns.Msg){
		"another name":  func(m *dns.Msg) { m.Question[0].Name = "wev.default.svc.cluster.local." },
		"another type":  func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAAAA },
		"another class": func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS },
		"no question":   func(m *dns.Msg) { m.Question = nil },
		"two questions": func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) },
		"a query":       func(m *dns.Msg) { m.Response = false },
	}
	overStreams(t, func(t *testing.T, scheme model.Scheme) {
		for name, change := range tests {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				u, s := newTest(t, scheme, replyWith(change))
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				want := wire.ErrMalformed
				if _, multiplexed := s.(*streams); multiplexed {
					want = context.Canceled
					go func() {
						clustertest.WaitFor(t, func() bool { return u.dropped[DropQuestion].Load() > 0 })
						cancel()
					}()
				}
				if m, err := askStream(ctx, s, streamTimeout); !errors.Is(err, want) {
					t.Errorf("%v, %v; want %v", m, err, want)
				}
			})
		}
	})
}

// TestContext: a query whose client is gone ends at once.
func TestContext(t *testing.T) {
	overStreams(t, func(t *testing.T, scheme model.Scheme) {
		arrived := make(chan struct{}, 1)
		_, s := newTest(t, scheme, func(*clustertest.Asked) { arrived <- struct{}{} })
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-arrived
			cancel()
		}()
		start := time.Now()
		_, err := askStream(ctx, s, time.Minute)
		if !errors.Is(err, context.Canceled) || time.Since(start) > clustertest.Plenty {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// TestKept: connections are kept, and a query succeeds though the upstream
// has closed every one of them meanwhile, as it does when they idle or it starts
// again.
func TestKept(t *testing.T) {
	overStreams(t, func(t *testing.T, scheme model.Scheme) {
		for _, many := range []int{1, 2} {
			g := newGate(many)
			var open atomic.Bool
			u, s := newTest(t, scheme, func(a *clustertest.Asked) {
				if open.Load() {
					a.Answer()
					return
				}
				g.hold(a)
			})
			asked := askMany(t, s, many)
			for _, a := range <-g.full {
				a.Answer()
			}
			asked.Wait()
			open.Store(true)
			want := many // of streams, each has one of its own
			if _, multiplexed := s.(*streams); !multiplexed {
				want = 1
			}
			if n := u.Drop(); n != want {
				t.Fatalf("%d connections, want %d", n, want)
			}
			m, err := askStream(t.Context(), s, streamTimeout)
			wantAddress(t, m, err)
		}
	})
}

// TestClose: close with queries in flight, some of them given up by their
// callers, leaves no connection and no goroutine; and nothing is asked after it.
func TestClose(t *testing.T) {
	overStreams(t, func(t *testing.T, scheme model.Scheme) {
		ignore := goleak.IgnoreCurrent()
		const queries = 10
		arrived := make(chan struct{}, queries)
		u, s := newTest(t, scheme, func(*clustertest.Asked) { arrived <- struct{}{} })
		var asked sync.WaitGroup
		for i := range queries {
			timeout := time.Minute
			if i%2 == 0 {
				timeout = 100 * time.Millisecond
			}
			asked.Go(func() {
				if m, err := askStream(t.Context(), s, timeout); err == nil {
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
		if n := s.InFlight(); n != 0 {
			t.Errorf("%d in flight", n)
		}
		clustertest.WaitFor(t, func() bool { return u.Open() == 0 })
		asked.Wait()
		if _, err := askStream(t.Context(), s, time.Second); !errors.Is(err, ErrClosed) {
			t.Errorf("a closed transport: %v", err)
		}
		u.Stop()
		goleak.VerifyNone(t, ignore)
	})
}

// TestUnused: a transport that was never asked has nothing to end.
func TestUnused(t *testing.T) {
	overStreams(t, func(t *testing.T, scheme model.Scheme) {
		_, credentials := testTLS(t)
		ignore := goleak.IgnoreCurrent()
		s := newTransport(model.Upstream{Scheme: scheme, Addr: netip.MustParseAddrPort("127.0.0.1:9")}, credentials, nil)
		s.Close()
		goleak.VerifyNone(t, ignore)
	})
}

// TestManyInFlight: many queries are in flight on few connections, and may be
// answered in any order: here the last one first.
func TestManyInFlight(t *testing.T) {
	for scheme, many := range map[model.Scheme]int{model.TCP: 500, model.DoT: 500, model.HTTPS: 200, model.QUIC: 200} {
		t.Run(string(scheme), func(t *testing.T) {
			g := newGate(many)
			u, s := newTest(t, scheme, g.hold)
			asked := askMany(t, s, many)
			held := <-g.full
			if n := s.InFlight(); n != many {
				t.Errorf("%d in flight", n)
			}
			for i := len(held) - 1; i >= 0; i-- {
				held[i].Answer()
			}
			asked.Wait()
			most := map[model.Scheme]int{model.TCP: streamConns, model.DoT: streamConns, model.HTTPS: streamConnsMax, model.QUIC: 1}[scheme]
			if n := u.Seen(); n > most || most == streamConns && n < most {
				t.Errorf("%d connections, want %d", n, most)
			}
		})
	}
}

// TestRestart: an upstream that is started again while queries are in flight
// on connections that had answered gets them once more.
func TestRestart(t *testing.T) {
	const many = 50
	overStreams(t, func(t *testing.T, scheme model.Scheme) {
		g := newGate(many)
		var asks atomic.Int32
		u, s := newTest(t, scheme, func(a *clustertest.Asked) {
			if n := asks.Add(1); 1 < n && n <= 1+many {
				g.hold(a)
				return
			}
			a.Answer()
		})
		m, err := askStream(t.Context(), s, streamTimeout)
		wantAddress(t, m, err)
		asked := askMany(t, s, many)
		<-g.full
		u.Drop()
		asked.Wait()
		if n := asks.Load(); n != 1+2*many {
			t.Errorf("%d queries came, want each once more", n)
		}
	})
}

// TestFail: what was in flight fails with the error given, and the next query is answered.
func TestFail(t *testing.T) {
	overStreams(t, func(t *testing.T, scheme model.Scheme) {
		var asks atomic.Int32
		arrived := make(chan struct{}, 1)
		_, s := newTest(t, scheme, func(a *clustertest.Asked) {
			if asks.Add(1) == 1 {
				arrived <- struct{}{}
				return
			}
			a.Answer()
		})
		failed := make(chan error)
		go func() {
			_, err := askStream(t.Context(), s, time.Minute)
			failed <- err
		}()
		<-arrived
		s.Fail(errTest)
		if err := <-failed; !errors.Is(err, errTest) {
			t.Errorf("failed with %v", err)
		}
		m, err := askStream(t.Context(), s, streamTimeout)
		wantAddress(t, m, err)
	})
}

// TestSlowAnswer: a reply that takes long holds up no other, and isn't asked for again.
func TestSlowAnswer(t *testing.T) {
	overStreams(t, func(t *testing.T, scheme model.Scheme) {
		arrived := make(chan *clustertest.Asked, 2)
		_, s := newTest(t, scheme, func(a *clustertest.Asked) {
			if a.Query.Question[0].Qtype == dns.TypeTXT {
				arrived <- a
				return
			}
			a.Answer()
		})
		var asked sync.WaitGroup
		asked.Go(func() {
			q := question(askedName)
			q.Type = dns.TypeTXT
			if _, err := askOver(t.Context(), s, q, streamTimeout); err != nil {
				t.Error(err)
			}
		})
		slow := <-arrived
		for range 10 {
			m, err := askStream(t.Context(), s, streamTimeout)
			wantAddress(t, m, err)
		}
		slow.Answer()
		asked.Wait()
		if len(arrived) != 0 {
			t.Error("asked again")
		}
	})
}

// TestIdle: a connection that nobody asks on is closed; the next query has another.
func TestIdle(t *testing.T) {
	t.Parallel()
	overStreams(t, func(t *testing.T, scheme model.Scheme) {
		t.Parallel() // it waits for streamIdle
		u, s := newTest(t, scheme, replyRight)
		m, err := askStream(t.Context(), s, streamTimeout)
		wantAddress(t, m, err)
		clustertest.WaitFor(t, func() bool { return u.Open() == 0 })
		m, err = askStream(t.Context(), s, streamTimeout)
		wantAddress(t, m, err)
		if n := u.Seen(); n != 2 {
			t.Errorf("%d connections, want another one", n)
		}
	})
}

// TestUnreachable: the error is the kernel's word.
func TestUnreachable(t *testing.T) {
	overStreams(t, func(t *testing.T, scheme model.Scheme) {
		if scheme == model.QUIC {
			t.Skip("its socket isn't connected, so the kernel has none for it: see TestNoHandshake")
		}
		u, s := newTest(t, scheme, replyRight)
		u.Stop()
		if _, err := askStream(t.Context(), s, streamTimeout); !errors.Is(err, syscall.ECONNREFUSED) || err.Error() != "connection refused" {
			t.Error(err)
		}
	})
}

// TestLocal: a message has the address that it left from, also the first one, which was
// there before the connection.
func TestLocal(t *testing.T) {
	overStreams(t, func(t *testing.T, scheme model.Scheme) {
		from := make(chan netip.AddrPort, 2)
		_, s := newTest(t, scheme, func(a *clustertest.Asked) {
			from <- a.From
			a.Answer()
		})
		for range 2 {
			c, m := newCall(pack(t, question(askedName)), time.Now())
			if err := s.Send(m); err != nil {
				t.Fatal(err)
			}
			o, err := c.Wait(t.Context(), streamTimeout)
			if err != nil || o.Message != m {
				t.Fatalf("%v, %v", o.Message, err)
			}
			_, local, _ := net.SplitHostPort(m.Local.String())
			if _, want, _ := net.SplitHostPort((<-from).String()); local != want {
				t.Errorf("left from %v, want port %s", m.Local, want)
			}
			o.free()
			c.End()
		}
	})
}

// TestNoHandshake: an upstream that accepts and says nothing fails the query
// when the handshake's time is over; and close doesn't wait for it.
func TestNoHandshake(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", clustertest.Loopback)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() // the kernel accepts
	packets, err := net.ListenPacket("udp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer packets.Close()
	overStreams(t, func(t *testing.T, scheme model.Scheme) {
		if scheme == model.TCP {
			t.Skip("has no handshake of its own")
		}
		_, credentials := testTLS(t)
		s := newTransport(model.Upstream{Scheme: scheme, Addr: listener.Addr().(*net.TCPAddr).AddrPort()}, credentials, nil)
		start := time.Now()
		if _, err := askStream(t.Context(), s, time.Minute); !errors.Is(err, ErrNoReply) || time.Since(start) < HandshakeTimeout {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		failed := make(chan error)
		go func() {
			_, err := askStream(t.Context(), s, time.Minute)
			failed <- err
		}()
		clustertest.WaitFor(t, func() bool { return s.InFlight() > 0 })
		start = time.Now()
		s.Close()
		if err := <-failed; !errors.Is(err, ErrClosed) || time.Since(start) > HandshakeTimeout/2 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
