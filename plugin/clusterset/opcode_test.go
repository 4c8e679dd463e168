package clusterset

import (
	"testing"

	"github.com/miekg/dns"
)

// TestOpcodes: only a query is answered as one, in every zone and whoever would
// answer its name.
func TestOpcodes(t *testing.T) {
	s := startSet(t, "")
	names := []string{"web.default.c1.lan.", "c1.lan.", "lan.", "web.default.c9.lan.", "1.1.101.10.in-addr.arpa.", "10.in-addr.arpa.", "9.9.9.10.in-addr.arpa."}
	for _, opcode := range []int{dns.OpcodeNotify, dns.OpcodeIQuery, dns.OpcodeStatus, dns.OpcodeUpdate, 6} {
		for _, name := range names {
			for _, network := range []string{"udp", "tcp"} {
				m := new(dns.Msg)
				m.SetQuestion(name, dns.TypeSOA)
				m.SetEdns0(1232, false)
				m.Opcode = opcode
				reply := send(t, s.addr, network, m)
				if reply.Rcode != dns.RcodeNotImplemented || len(reply.Answer)+len(reply.Ns) != 0 {
					t.Errorf("%s of %s over %s: %v", dns.OpcodeToString[opcode], name, network, reply)
				}
			}
		}
	}
}
