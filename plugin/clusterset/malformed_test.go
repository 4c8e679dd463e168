package clusterset

import (
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

// TestMalformed: questions that aren't one, as CoreDNS's own plugins take them,
// and the server answers on.
func TestMalformed(t *testing.T) {
	member := clustertest.Serve(t, clustertest.Zone(t, memberZone)).Addr.String()
	s := serveSet(t, clusterAt("c1", member, ""), "")
	tests := []struct {
		name  string
		spoil func(*dns.Msg)
		want  int // -1 is no reply at all
	}{
		{"no question", func(m *dns.Msg) { m.Question = nil }, dns.RcodeFormatError},
		{"two questions", func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }, dns.RcodeFormatError},
		{"class CH", func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }, dns.RcodeRefused},
		{"class ANY", func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassANY }, dns.RcodeRefused},
		{"an unknown class", func(m *dns.Msg) { m.Question[0].Qclass = 4711 }, dns.RcodeRefused},
		{"IXFR", func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeIXFR }, dns.RcodeRefused},
		{"an update", func(m *dns.Msg) { m.Opcode = dns.OpcodeUpdate }, dns.RcodeNotImplemented},
		{"a status", func(m *dns.Msg) { m.Opcode = dns.OpcodeStatus }, dns.RcodeNotImplemented},
		{"EDNS version 1", func(m *dns.Msg) { m.SetEdns0(1232, false); m.IsEdns0().SetVersion(1) }, dns.RcodeBadVers},
		{"a reply", func(m *dns.Msg) { m.Response = true }, -1},
		{"the root", func(m *dns.Msg) { m.Question[0].Name = "." }, dns.RcodeSuccess}, // whoami's
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := new(dns.Msg)
			m.SetQuestion("web.default.c1.lan.", dns.TypeA)
			tt.spoil(m)
			if got := rcodeOf(t, s.addr, m, tt.want < 0); got != tt.want {
				t.Errorf("rcode %d, want %d", got, tt.want)
			}
		})
	}
	if m := lookup(t, s.addr, "udp", "web.default.c1.lan.", dns.TypeA); len(m.Answer) != 1 {
		t.Errorf("afterwards: %v", m)
	}
}

// rcodeOf sends a message that a client would refuse to, or that isn't answered.
func rcodeOf(t *testing.T, addr string, m *dns.Msg, unanswered bool) int {
	t.Helper()
	conn, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	packet, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(packet); err != nil {
		t.Fatal(err)
	}
	bound := inTime
	if unanswered {
		bound = 200 * time.Millisecond
	}
	_ = conn.SetReadDeadline(time.Now().Add(bound)) // a socket that has just been opened
	buf := make([]byte, dns.MaxMsgSize)
	n, err := conn.Read(buf)
	if err != nil {
		return -1
	}
	reply := new(dns.Msg)
	if err := reply.Unpack(buf[:n]); err != nil {
		t.Fatal(err)
	}
	return reply.Rcode
}

// TestOverlap: an address that two members of one network claim is nobody's.
func TestOverlap(t *testing.T) {
	member := clustertest.Serve(t, clustertest.Silence)
	s := serveSet(t, "- {name: a, serviceCIDRs: [10.101.0.0/19], dns: [\""+member.Addr.String()+"\"]}\n"+
		"- {name: b, serviceCIDRs: [10.101.16.0/20], dns: [\""+member.Addr.String()+"\"]}\n", "timeout 100ms")
	for name, want := range map[string]int{
		"1.16.101.10.in-addr.arpa.": dns.RcodeSuccess, // whoami's, the next plugin
		"1.1.101.10.in-addr.arpa.":  dns.RcodeServerFailure,
	} {
		if m := lookup(t, s.addr, "udp", name, dns.TypePTR); m.Rcode != want {
			t.Errorf("%s: %s, want %s", name, dns.RcodeToString[m.Rcode], dns.RcodeToString[want])
		}
	}
}

// TestSignatures: a signature doesn't survive renaming, and is not given.
func TestSignatures(t *testing.T) {
	signed := func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(r)
		m.AuthenticatedData = true
		owner := r.Question[0].Name
		m.Answer = rrs(owner+" 5 IN A 10.101.0.1", owner+" 5 IN RRSIG A 8 5 5 20300101000000 20260101000000 1 cluster.local. AAAA")
		_ = w.WriteMsg(m)
	}
	member := clustertest.Serve(t, signed).Addr.String()
	s := serveSet(t, clusterAt("c1", member, "")+clusterAt("c2", member, ", clusterDomain: c2.lan"), "")
	for cluster, records := range map[string]int{"c1": 1, "c2": 2} {
		m := new(dns.Msg)
		m.SetQuestion("web.default.svc."+cluster+".lan.", dns.TypeA)
		m.SetEdns0(1232, true)
		if reply := send(t, s.addr, "udp", m); len(reply.Answer) != records || (reply.AuthenticatedData && records == 1) {
			t.Errorf("%s: %v", cluster, reply)
		}
	}
}
