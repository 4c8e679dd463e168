package exchange

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
)

// TestForgedReplies: what doesn't answer the question is dropped, and the real
// reply, which comes after it, is given. RFC 5452, section 9.1.
func TestForgedReplies(t *testing.T) {
	tests := []struct {
		name  string
		forge func(*dns.Msg)
		why   transport.Drop
	}{
		{"another id", func(m *dns.Msg) { m.Id++ }, transport.DropUnknown},
		{"another name", func(m *dns.Msg) { m.Question[0].Name = "wev.default.svc.cluster.local." }, transport.DropQuestion},
		{"a shorter name", func(m *dns.Msg) { m.Question[0].Name = "a." }, transport.DropQuestion},
		{"another type", func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAAAA }, transport.DropQuestion},
		{"another class", func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }, transport.DropQuestion},
		{"a query", func(m *dns.Msg) { m.Response = false }, transport.DropQuestion},
		{"another opcode", func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }, transport.DropQuestion},
		{"no question", func(m *dns.Msg) { m.Question = nil }, transport.DropQuestion},
		{"two questions", func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }, transport.DropQuestion},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := liar(t, tt.forge)
			clustertest.Tries(t, func() error { // a busy machine has it sent again
				c, _ := newTestClient(t, Options{}, server)
				m, err := ask(c, plenty)
				wantAddress(t, m, err)
				for _, why := range []transport.Drop{transport.DropShort, tt.why} {
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
	return clustertest.ServeRaw(t, func(query []byte) [][]byte {
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
	}, clustertest.NoTCP).Addr
}

// TestMalformedReply: with the right id and question, and garbage behind.
func TestMalformedReply(t *testing.T) {
	addr := clustertest.ServeRaw(t, func(query []byte) [][]byte {
		query[2] |= 0x80 // QR
		query[7] = 9     // nine answers follow, none does
		return [][]byte{append(query, 0xff, 0xff, 0xff)}
	}, clustertest.NoTCP).Addr
	c, _ := newTestClient(t, Options{}, addr)
	_, err := ask(c, plenty)
	wantReason(t, err, BadReply)
}
