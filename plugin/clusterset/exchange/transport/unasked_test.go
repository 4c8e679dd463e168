package transport

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// floodHTTP2 sends the frame without end over each connection, until that is closed.
func floodHTTP2(t *testing.T, config *tls.Config, frame []byte) (addr netip.AddrPort, flooding *atomic.Int64) {
	t.Helper()
	config = config.Clone()
	config.NextProtos = []string{"h2"}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	settings := []byte{0, 0, 0, 4, 0, 0, 0, 0, 0} // comes first: RFC 9113, section 3.4
	frames := slices.Repeat(frame, max(1, 16<<10/len(frame)))
	flooding = new(atomic.Int64)
	var running sync.WaitGroup
	serve := func(conn net.Conn) {
		defer conn.Close()
		flooding.Add(1)
		defer flooding.Add(-1)
		running.Go(func() { drain(conn) })
		for _, err := conn.Write(settings); err == nil; _, err = conn.Write(frames) {
		}
	}
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		running.Wait()
	})
	return listener.Addr().(*net.TCPAddr).AddrPort(), flooding
}

// drain reads to the end.
func drain(conn net.Conn) {
	buf := make([]byte, 4096)
	for {
		if _, err := conn.Read(buf); err != nil {
			return
		}
	}
}

// TestUnaskedHTTPS: frames that belong to no reply aren't read for ever.
func TestUnaskedHTTPS(t *testing.T) {
	config, credentials := testTLS(t)
	for name, frame := range map[string][]byte{
		"pings":   {0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8},
		"unknown": append([]byte{0, 0x40, 0, 0xfa, 0, 0, 0, 0, 0}, make([]byte, 0x4000)...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr, flooding := floodHTTP2(t, config, frame)
			s := newTransport(model.Upstream{Scheme: model.HTTPS, Addr: addr}, credentials, nil)
			t.Cleanup(s.Close)
			if m, err := askStream(t.Context(), s, clustertest.Plenty); err == nil {
				t.Errorf("got %v", m)
			}
			clustertest.WaitFor(t, func() bool { return flooding.Load() == 0 })
		})
	}
}

// TestSilentSessions: an upstream that says nothing has no more connections for it than
// four sessions have.
func TestSilentSessions(t *testing.T) {
	t.Parallel() // it waits for what is silent
	_, credentials := testTLS(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0") // whose backlog takes connections
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	s := newTransport(model.Upstream{Scheme: model.HTTPS, Addr: listener.Addr().(*net.TCPAddr).AddrPort()}, credentials, nil).(*requests)
	t.Cleanup(s.Close)
	q := pack(t, question(askedName))
	for range 2 * maxSessions {
		var c Call
		c.Begin(q)
		for try := range 2 { // the second one is a retransmission, on a new session
			m := c.Add()
			m.At, m.Stream, m.Fresh = time.Now(), true, try > 0
			if err := s.Send(m); err != nil {
				t.Fatal(err)
			}
			if o, err := c.Wait(t.Context(), StreamStall); err != nil || o.Message != nil {
				t.Errorf("an outcome: %v, %v", o.err, err)
			}
		}
		c.End()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions > maxSessions {
		t.Errorf("%d sessions", s.sessions)
	}
}

// TestUnasked: a connection over which replies come that nobody asked for, in whatever
// form, is closed, and not after less than what was asked.
func TestUnasked(t *testing.T) {
	flood := func(msg func(query *dns.Msg) []byte) func(*clustertest.Asked) {
		return func(a *clustertest.Asked) {
			for {
				b := msg(a.Query)
				if _, err := a.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)); err != nil {
					return // it is closed
				}
			}
		}
	}
	packed := func(change func(*dns.Msg)) func(*dns.Msg) []byte {
		return func(query *dns.Msg) []byte {
			m := new(dns.Msg).SetReply(query)
			change(m)
			b, _ := m.Pack()
			return b
		}
	}
	for name, msg := range map[string]func(*dns.Msg) []byte{
		"unknown id":       packed(func(m *dns.Msg) { m.Id++ }),
		"another question": packed(func(m *dns.Msg) { m.Question[0].Name = "other." }),
		"a query":          packed(func(m *dns.Msg) { m.Response = false }),
		"too short":        func(*dns.Msg) []byte { return []byte{1, 2, 3} },
		"empty":            func(*dns.Msg) []byte { return nil },
		"large":            func(*dns.Msg) []byte { return make([]byte, dns.MaxMsgSize) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, s := newStreamTest(t, flood(msg))
			_, err := askStream(t.Context(), s, clustertest.Plenty)
			if !errors.Is(err, ErrUnasked) {
				t.Errorf("error %v", err)
			}
			gone(t, s)
			var dropped int64
			for why := range u.dropped {
				dropped += u.dropped[why].Load()
			}
			if dropped != 2*(maxUnasked+2) { // one was owed, on each of two connections
				t.Errorf("%d replies were read", dropped)
			}
		})
	}
	t.Run("with the answers", func(t *testing.T) { // no query is lost for it
		right := flood(packed(func(m *dns.Msg) {
			rr, _ := dns.NewRR(m.Question[0].Name + " 5 IN A 10.101.0.1")
			m.Answer = []dns.RR{rr}
		}))
		_, s := newStreamTest(t, right)
		for range 20 {
			askMany(t, s, 5).Wait()
		}
	})
	t.Run("late ones", func(t *testing.T) { // which were asked for
		const many = 5 * maxUnasked
		g := newGate(many)
		u, s := newStreamTest(t, func(a *clustertest.Asked) {
			if a.Query.Question[0].Qtype == dns.TypeTXT {
				g.hold(a)
				return
			}
			a.Answer()
		})
		var asked sync.WaitGroup
		q := question(askedName)
		q.Type = dns.TypeTXT
		ctx, cancel := context.WithCancel(t.Context())
		for range many {
			asked.Go(func() { _, _ = askOver(ctx, s, q, time.Minute) })
		}
		held := <-g.full
		cancel()
		asked.Wait()
		conns := u.Seen()
		for _, h := range held {
			h.Answer()
		}
		clustertest.WaitFor(t, func() bool { return u.dropped[DropUnknown].Load() == many })
		m, err := askStream(t.Context(), s, streamTimeout)
		wantAddress(t, m, err)
		if n := u.Seen(); n != conns {
			t.Errorf("%d connections, want the %d that there were", n, conns)
		}
	})
}
