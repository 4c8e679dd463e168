package exchange

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"

	"github.com/miekg/dns"
	"github.com/quic-go/quic-go"
)

// answerMessage is the zone's answer to a packed query.
func answerMessage(query []byte) []byte { return addresses(1)(query) }

// serveHTTPS serves h over HTTP/2 or HTTP/1.1 with TLS.
func serveHTTPS(t *testing.T, config *tls.Config, h http.HandlerFunc) netip.AddrPort {
	t.Helper()
	return serveHTTPSAt(t, "127.0.0.1:0", config, h)
}

func serveHTTPSAt(t *testing.T, at string, config *tls.Config, h http.HandlerFunc) netip.AddrPort {
	t.Helper()
	listener, err := net.Listen("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: h, TLSConfig: config.Clone()}
	var running sync.WaitGroup
	running.Go(func() { _ = server.ServeTLS(listener, "", "") })
	t.Cleanup(func() {
		_ = server.Close()
		running.Wait()
	})
	return listener.Addr().(*net.TCPAddr).AddrPort()
}

// answerHTTP answers as RFC 8484 has it.
func answerHTTP(w http.ResponseWriter, r *http.Request) {
	query, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	w.Header().Set("Content-Type", dnsMessage)
	_, _ = w.Write(answerMessage(query))
}

// serveQUIC has serve answer each stream.
func serveQUIC(t *testing.T, config *tls.Config, serve func(conn *quic.Conn, stream *quic.Stream)) netip.AddrPort {
	t.Helper()
	return serveQUICAt(t, "127.0.0.1:0", config, nil, serve)
}

func serveQUICAt(t *testing.T, at string, config *tls.Config, more *quic.Config, serve func(conn *quic.Conn, stream *quic.Stream)) netip.AddrPort {
	t.Helper()
	config = config.Clone()
	config.NextProtos = []string{"doq"}
	listener, err := quic.ListenAddr(at, config, more)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := listener.Accept(ctx)
			if err != nil {
				return
			}
			running.Go(func() {
				defer func() { _ = conn.CloseWithError(0, "") }()
				for {
					stream, err := conn.AcceptStream(ctx)
					if err != nil {
						return
					}
					running.Go(func() { serve(conn, stream) })
				}
			})
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = listener.Close()
		running.Wait()
	})
	return listener.Addr().(*net.UDPAddr).AddrPort()
}

// answerQUIC answers as RFC 9250 has it.
func answerQUIC(_ *quic.Conn, stream *quic.Stream) {
	query, err := readFrame(stream)
	if err != nil {
		return
	}
	writeFrame(stream, answerMessage(query))
	_ = stream.Close()
}

func writeFrame(w io.Writer, msg []byte) {
	_, _ = w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(msg))), msg...)) // the client may be gone
}

// TestSilentConnection: what is sent into a connection that a firewall forgot is asked
// again on a new one, within the query's time, and the next queries aren't held up.
func TestSilentConnection(t *testing.T) {
	config, material := testTLS(t)
	right := serveRaw(t, as(addresses(1), asIs), as(addresses(1), asIs))
	overTLS := newTLSRelay(t, config, right.Addr)
	tests := []struct {
		scheme model.Scheme
		wall   *clustertest.Firewall
	}{
		{model.TCP, clustertest.NewFirewall(t, right.Addr)},
		{model.DoT, clustertest.NewFirewall(t, overTLS)},
		{model.HTTPS, clustertest.NewFirewall(t, serveHTTPS(t, config, answerHTTP))},
		{model.QUIC, clustertest.NewUDPFirewall(t, serveQUIC(t, config, answerQUIC))},
	}
	for _, tt := range tests {
		t.Run(string(tt.scheme), func(t *testing.T) {
			t.Parallel()
			c := newClientOf(t, tt.scheme, material, tt.wall.Addr)
			asked := func() error {
				q := question(askedName)
				q.EDNS.Size, q.Deadline = DatagramSize, time.Now().Add(plenty)
				m, _, err := c.Exchange(t.Context(), q)
				if err == nil && len(m.Answer) != 1 {
					t.Errorf("got %v", m)
				}
				return err
			}
			if err := asked(); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				clustertest.Tries(t, func() error { // a busy machine has some asked again
					before := tt.wall.Conns.Load()
					tt.wall.Forget()
					for range 3 {
						if err := asked(); err != nil {
							t.Errorf("into a silent connection: %v", err)
						}
					}
					if n := tt.wall.Conns.Load() - before; n < 1 || n > maxStreamAsks {
						return fmt.Errorf("%d new connections", n)
					}
					return nil
				})
			}
			if c.upstreams[0].health.down.Load() {
				t.Error("taken for down")
			}
		})
	}
}

// newTLSRelay ends TLS before a TCP port.
func newTLSRelay(t *testing.T, config *tls.Config, to netip.AddrPort) netip.AddrPort {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer client.Close()
				server, err := net.Dial("tcp", to.String())
				if err != nil {
					return
				}
				running.Go(func() {
					_, _ = io.Copy(client, server)
					_ = client.Close()
				})
				_, _ = io.Copy(server, client)
				_ = server.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		running.Wait()
	})
	return listener.Addr().(*net.TCPAddr).AddrPort()
}

// TestSilentStreamOfUDP: a client over TCP gets its answer of a dns:// upstream though the
// connection to it is silent: also one that is too large for UDP.
func TestSilentStreamOfUDP(t *testing.T) {
	for _, records := range []int{1, 400} {
		s := serveRaw(t, fitting(addresses(records)), as(addresses(records), asIs))
		c, _ := newTestClient(t, Options{}, s.Addr)
		c.upstreams[0].stream.close()
		wall := clustertest.NewFirewall(t, s.Addr)
		c.upstreams[0].stream = newStreamTransport(model.Upstream{Addr: wall.Addr}, nil, c.upstreams[0].dropped)
		for range 2 {
			m, err := askRaw(t, c, DatagramSize, true)
			if err != nil || m.Truncated || len(m.Answer) != records {
				t.Errorf("%d records: %v, %v", records, m, err)
			}
			wall.Forget()
		}
	}
}

// TestSlowStream: an upstream that is slow on a stream is waited for, and not asked time
// and again.
func TestSlowStream(t *testing.T) {
	var asked atomic.Int64
	late := after(streamHeld*2, clustertest.Zone(t, zone))
	slow := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if r.Question[0].Qtype != dns.TypeSOA {
			asked.Add(1)
		}
		late(w, r)
	})
	c := newStreamClient(t, slow.Addr)
	m, err := ask(c, plenty)
	wantAddress(t, m, err)
	if n := asked.Load(); n > maxStreamAsks {
		t.Errorf("asked %d times", n)
	}
}

// TestUnasked: a connection over which replies come that nobody asked for, in whatever
// form, is closed, and not after less than what was asked.
func TestUnasked(t *testing.T) {
	flood := func(msg func(query *dns.Msg) []byte) func(*dns.Conn, *dns.Msg) {
		return func(conn *dns.Conn, query *dns.Msg) {
			for {
				b := msg(query)
				if _, err := conn.Conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)); err != nil {
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
			_, err := askStream(t.Context(), s, plenty)
			if err == nil || reasonOf(err) != BadReply {
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
		u, s := newStreamTest(t, func(conn *dns.Conn, query *dns.Msg) {
			if query.Question[0].Qtype == dns.TypeTXT {
				g.hold(conn, query)
				return
			}
			replyRight(conn, query)
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
		conns := u.connections()
		for _, h := range held {
			replyRight(h.conn, h.query)
		}
		waitFor(t, func() bool { return u.dropped[DropUnknown].Load() == many })
		m, err := askStream(t.Context(), s, streamTimeout)
		wantAddress(t, m, err)
		if n := u.connections(); n != conns {
			t.Errorf("%d connections, want the %d that there were", n, conns)
		}
	})
}
