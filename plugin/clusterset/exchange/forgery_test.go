package exchange

import (
	"fmt"
	"net"
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

// TestForgedReplies: what doesn't answer the question is dropped, and the real
// reply, which comes after it, is given. RFC 5452, section 9.1.
func TestForgedReplies(t *testing.T) {
	tests := []struct {
		name  string
		forge func(*dns.Msg)
		why   Drop
	}{
		{"another id", func(m *dns.Msg) { m.Id++ }, DropUnknown},
		{"another name", func(m *dns.Msg) { m.Question[0].Name = "wev.default.svc.cluster.local." }, DropQuestion},
		{"a shorter name", func(m *dns.Msg) { m.Question[0].Name = "a." }, DropQuestion},
		{"another type", func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAAAA }, DropQuestion},
		{"another class", func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }, DropQuestion},
		{"a query", func(m *dns.Msg) { m.Response = false }, DropQuestion},
		{"another opcode", func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }, DropQuestion},
		{"no question", func(m *dns.Msg) { m.Question = nil }, DropQuestion},
		{"two questions", func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }, DropQuestion},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := liar(t, tt.forge)
			clustertest.Tries(t, func() error { // a busy machine has it sent again
				c, _ := newTestClient(t, Options{}, server)
				m, err := ask(c, plenty)
				wantAddress(t, m, err)
				for _, why := range []Drop{DropShort, tt.why} {
					if n := collected(c.upstreams[0].metrics.Dropped[why]); n != 1 {
						return fmt.Errorf("%v replies dropped as %s, want 1", n, why)
					}
				}
				return nil
			})
		})
	}
}

// liar answers every query three times: with too few bytes, with a forged reply
// that has another address, and right.
func liar(t *testing.T, forge func(*dns.Msg)) netip.AddrPort {
	t.Helper()
	return servePackets(t, func(query []byte) [][]byte {
		q, right, forged := new(dns.Msg), new(dns.Msg), new(dns.Msg)
		if q.Unpack(query) != nil {
			return nil
		}
		address := func(text string) []dns.RR {
			rr, _ := dns.NewRR(q.Question[0].Name + " 5 IN A " + text)
			return []dns.RR{rr}
		}
		right.SetReply(q).Answer = address("10.101.0.1")
		forged.SetReply(q).Answer = address("10.66.6.6")
		forge(forged)
		first, _ := forged.Pack()
		second, _ := right.Pack()
		return [][]byte{{1, 2, 3}, first, second}
	})
}

// servePackets answers every packet with those that answers makes of it.
func servePackets(t *testing.T, answers func(query []byte) [][]byte) netip.AddrPort {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buf := make([]byte, MaxSize)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			for _, packet := range answers(buf[:n:n]) {
				_, _ = conn.WriteToUDPAddrPort(packet, from)
			}
		}
	}()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// TestMalformedReply: with the right id and question, and garbage behind.
func TestMalformedReply(t *testing.T) {
	addr := servePackets(t, func(query []byte) [][]byte {
		query[2] |= flagQR >> 8
		query[7] = 9 // nine answers follow, none does
		return [][]byte{append(query, 0xff, 0xff, 0xff)}
	})
	c, _ := newTestClient(t, Options{}, addr)
	_, err := ask(c, plenty)
	wantReason(t, err, BadReply)
}
