package clusterset

import (
	"testing"

	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"
)

// The SOAs of negative answers, whose minimum is ours.
const (
	soaC1   = "c1.lan. 5 IN SOA ns.dns.c1.lan. hostmaster.c1.lan. 7 7200 1800 86400 5"
	soaC2   = "c2.eu.lan. 5 IN SOA ns.dns.c2.eu.lan. hostmaster.c2.eu.lan. 9 7200 1800 86400 5"
	soaOur  = "c1.lan. 5 IN SOA ns.dns.c1.lan. hostmaster.c1.lan. 1 7200 1800 86400 5"
	soaArpa = "in-addr.arpa. 5 IN SOA ns.dns.in-addr.arpa. hostmaster.in-addr.arpa. 1 7200 1800 86400 5"
	soaLan  = "lan. 5 IN SOA ns.dns.lan. hostmaster.lan. 1 7200 1800 86400 5"
)

func rrs(texts ...string) (all []dns.RR) {
	for _, text := range texts {
		rr, err := dns.NewRR(text)
		if err != nil {
			panic(err)
		}
		all = append(all, rr)
	}
	return all
}

// answers are the rows of the man page that a living member's DNS
// gives.
var answers = []test.Case{
	// cluster IPs, in both forms, whatever the case
	{Qname: "web.default.c1.lan.", Qtype: dns.TypeA, Answer: rrs("web.default.c1.lan. 5 IN A 10.101.1.1")},
	{Qname: "web.default.svc.c1.lan.", Qtype: dns.TypeA, Answer: rrs("web.default.svc.c1.lan. 5 IN A 10.101.1.1")},
	{Qname: "web.default.c1.lan.", Qtype: dns.TypeAAAA, Answer: rrs("web.default.c1.lan. 5 IN AAAA fd00:101::1")},
	{Qname: "web.default.c2.eu.lan.", Qtype: dns.TypeA, Answer: rrs("web.default.c2.eu.lan. 5 IN A 10.102.1.1")},
	// headless: every endpoint, one endpoint
	{Qname: "db.default.c1.lan.", Qtype: dns.TypeA, Answer: rrs("db.default.c1.lan. 5 IN A 10.51.0.3", "db.default.c1.lan. 5 IN A 10.51.0.4")},
	{Qname: "db-0.db.default.c1.lan.", Qtype: dns.TypeA, Answer: rrs("db-0.db.default.c1.lan. 5 IN A 10.51.0.3")},
	{Qname: "db-1.db.default.svc.c1.lan.", Qtype: dns.TypeA, Answer: rrs("db-1.db.default.svc.c1.lan. 5 IN A 10.51.0.4")},
	// SRV, at the port's name and at the bare one
	{
		Qname: "_pg._tcp.db.default.c1.lan.", Qtype: dns.TypeSRV,
		Answer: rrs("_pg._tcp.db.default.c1.lan. 5 IN SRV 0 50 5432 db-0.db.default.svc.c1.lan.", "_pg._tcp.db.default.c1.lan. 5 IN SRV 0 50 5432 db-1.db.default.svc.c1.lan."),
		Extra:  rrs("db-0.db.default.svc.c1.lan. 5 IN A 10.51.0.3", "db-1.db.default.svc.c1.lan. 5 IN A 10.51.0.4"),
	},
	{
		Qname: "web.default.c1.lan.", Qtype: dns.TypeSRV,
		Answer: rrs("web.default.c1.lan. 5 IN SRV 0 100 80 web.default.svc.c1.lan."),
		Extra:  rrs("web.default.svc.c1.lan. 5 IN A 10.101.1.1", "web.default.svc.c1.lan. 5 IN AAAA fd00:101::1"),
	},
	// pods
	{Qname: "10-51-0-7.default.pod.c1.lan.", Qtype: dns.TypeA, Answer: rrs("10-51-0-7.default.pod.c1.lan. 5 IN A 10.51.0.7")},
	// ExternalName: the member's own, another member's, this server's, nobody's
	{Qname: "near.default.c1.lan.", Qtype: dns.TypeA, Answer: rrs("near.default.c1.lan. 5 IN CNAME web.default.svc.c1.lan.", "web.default.svc.c1.lan. 5 IN A 10.101.1.1")},
	{Qname: "far.default.c1.lan.", Qtype: dns.TypeA, Answer: rrs("far.default.c1.lan. 5 IN CNAME web.default.c2.eu.lan.", "web.default.c2.eu.lan. 5 IN A 10.102.1.1")},
	{Qname: "out.default.c1.lan.", Qtype: dns.TypeA, Answer: rrs("out.default.c1.lan. 5 IN CNAME www.example.org.", "www.example.org. 60 IN A 192.0.2.80")},
	{Qname: "out.default.c1.lan.", Qtype: dns.TypeCNAME, Answer: rrs("out.default.c1.lan. 5 IN CNAME www.example.org.")},
	{Qname: "out.default.c1.lan.", Qtype: dns.TypeAAAA, Answer: rrs("out.default.c1.lan. 5 IN CNAME www.example.org."), Ns: rrs("example.org. 60 IN SOA ns.example.org. hostmaster.example.org. 1 7200 1800 86400 30")},
	{Qname: "none.default.c1.lan.", Qtype: dns.TypeA, Rcode: dns.RcodeNameError, Answer: rrs("none.default.c1.lan. 5 IN CNAME none.example.org."), Ns: rrs("example.org. 60 IN SOA ns.example.org. hostmaster.example.org. 1 7200 1800 86400 30")},
	{Qname: "lost.default.c1.lan.", Qtype: dns.TypeA, Answer: rrs("lost.default.c1.lan. 5 IN CNAME nowhere.invalid.")},
	// the zones themselves
	{Qname: "dns-version.c1.lan.", Qtype: dns.TypeTXT, Answer: rrs(`dns-version.c1.lan. 28800 IN TXT "1.1.0"`)},
	{Qname: "dns-version.c1.lan.", Qtype: dns.TypeA, Ns: rrs(soaOur)},
	{Qname: "c1.lan.", Qtype: dns.TypeSOA, Answer: rrs(soaOur)},
	{Qname: "c1.lan.", Qtype: dns.TypeNS, Answer: rrs("c1.lan. 5 IN NS ns.dns.c1.lan."), Extra: rrs("ns.dns.c1.lan. 5 IN A 127.77.0.1")},
	{Qname: "c1.lan.", Qtype: dns.TypeDS, Ns: rrs(soaLan)},
	{Qname: "c1.lan.", Qtype: dns.TypeMX, Ns: rrs(soaOur)},
	{Qname: "ns.dns.c1.lan.", Qtype: dns.TypeA, Answer: rrs("ns.dns.c1.lan. 5 IN A 127.77.0.1")},
	{Qname: "ns.dns.c1.lan.", Qtype: dns.TypeAAAA, Ns: rrs(soaOur)},
	{Qname: "ns.dns.c1.lan.", Qtype: dns.TypeNS, Ns: rrs(soaOur)},
	{Qname: "lan.", Qtype: dns.TypeSOA, Answer: rrs(soaLan)},
	{Qname: "lan.", Qtype: dns.TypeNS, Answer: rrs("lan. 5 IN NS ns.dns.lan."), Extra: rrs("ns.dns.lan. 5 IN A 127.77.0.1")},
	{Qname: "ns.dns.lan.", Qtype: dns.TypeA, Answer: rrs("ns.dns.lan. 5 IN A 127.77.0.1")},
	{Qname: "ns.dns.lan.", Qtype: dns.TypeAAAA, Ns: rrs(soaLan)},
	{Qname: "lan.", Qtype: dns.TypeA, Ns: rrs(soaLan)},
	// addresses
	{Qname: "1.1.101.10.in-addr.arpa.", Qtype: dns.TypePTR, Answer: rrs("1.1.101.10.in-addr.arpa. 5 IN PTR web.default.svc.c1.lan.")},
	{Qname: "2.1.101.10.in-addr.arpa.", Qtype: dns.TypePTR, Rcode: dns.RcodeNameError, Ns: rrs(soaArpa)},
	// the name exists, the type doesn't
	{Qname: "web.default.c1.lan.", Qtype: dns.TypeMX, Ns: rrs(soaC1)},
	{Qname: "db.default.c1.lan.", Qtype: dns.TypeAAAA, Ns: rrs(soaC1)},
	{Qname: "default.c1.lan.", Qtype: dns.TypeA, Ns: rrs(soaC1)},
	{Qname: "svc.c1.lan.", Qtype: dns.TypeA, Ns: rrs(soaOur)},
	{Qname: "web.default.c1.lan.", Qtype: 65280, Ns: rrs(soaC1)},
	// the name doesn't exist
	{Qname: "nope.default.c1.lan.", Qtype: dns.TypeA, Rcode: dns.RcodeNameError, Ns: rrs(soaC1)},
	{Qname: "nope.default.c2.eu.lan.", Qtype: dns.TypeA, Rcode: dns.RcodeNameError, Ns: rrs(soaC2)},
	{Qname: "web.default.c9.lan.", Qtype: dns.TypeA, Rcode: dns.RcodeNameError, Ns: rrs(soaLan)},
	// ... but what has names below it does
	{Qname: "eu.lan.", Qtype: dns.TypeA, Ns: rrs(soaLan)},
	{Qname: "dns.lan.", Qtype: dns.TypeA, Ns: rrs(soaLan)},
	{Qname: "eu.lan.", Qtype: dns.TypeNS, Ns: rrs(soaLan)},
	{Qname: "dns.lan.", Qtype: dns.TypeNS, Ns: rrs(soaLan)},
	{Qname: "svc.c1.lan.", Qtype: dns.TypeNS, Ns: rrs(soaOur)},
	{Qname: "pod.c1.lan.", Qtype: dns.TypeNS, Ns: rrs(soaOur)},
	{Qname: "dns.c1.lan.", Qtype: dns.TypeNS, Ns: rrs(soaOur)},
	{Qname: "default.c1.lan.", Qtype: dns.TypeNS, Ns: rrs(soaC1)},
	{Qname: "default.svc.c1.lan.", Qtype: dns.TypeNS, Ns: rrs(soaC1)},
	{Qname: "default.pod.c1.lan.", Qtype: dns.TypeNS, Ns: rrs(soaC1)},
	{Qname: "db.default.c1.lan.", Qtype: dns.TypeNS, Ns: rrs(soaC1)},
	{Qname: "_TCP.db.default.c1.lan.", Qtype: dns.TypeNS, Ns: rrs(soaOur)},
	{Qname: "_udp.web.default.c1.lan.", Qtype: dns.TypeA, Ns: rrs(soaOur)},
	{Qname: "_udp.web.default.svc.c1.lan.", Qtype: dns.TypeSRV, Ns: rrs(soaOur)},
	{Qname: "_tcp.out.default.c1.lan.", Qtype: dns.TypeA, Ns: rrs(soaOur)},
	{Qname: "_tcp.lost.default.c1.lan.", Qtype: dns.TypeA, Ns: rrs(soaOur)},
	{Qname: "_tcp.web.default.c2.eu.lan.", Qtype: dns.TypeA, Ns: rrs(soaC2)},
	{Qname: "_tcp.nope.default.c1.lan.", Qtype: dns.TypeA, Rcode: dns.RcodeNameError, Ns: rrs(soaC1)},
	{Qname: "_x.web.default.c1.lan.", Qtype: dns.TypeA, Rcode: dns.RcodeNameError, Ns: rrs(soaC1)},
	{Qname: "101.10.in-addr.arpa.", Qtype: dns.TypeNS, Ns: rrs(soaArpa)},
	{Qname: "dns.in-addr.arpa.", Qtype: dns.TypeNS, Ns: rrs(soaArpa)},
	{Qname: "in-addr.arpa.", Qtype: dns.TypeNS, Answer: rrs("in-addr.arpa. 5 IN NS ns.dns.in-addr.arpa."), Extra: rrs("ns.dns.in-addr.arpa. 5 IN A 127.77.0.1")},
	{Qname: "a.b.c.d.e.c1.lan.", Qtype: dns.TypeA, Rcode: dns.RcodeNameError, Ns: rrs(soaOur)},
	{Qname: `\000\255.default.c1.lan.`, Qtype: dns.TypeA, Rcode: dns.RcodeNameError, Ns: rrs(soaC1)},
	{Qname: `web\.default.c1.lan.`, Qtype: dns.TypeA, Rcode: dns.RcodeNameError, Ns: rrs(soaC1)},
	// the address guard
	{Qname: "loop.default.c1.lan.", Qtype: dns.TypeA, Rcode: dns.RcodeServerFailure},
	{Qname: "steal.default.c1.lan.", Qtype: dns.TypeA, Rcode: dns.RcodeServerFailure},
	{Qname: "mixed.default.c1.lan.", Qtype: dns.TypeA, Answer: rrs("mixed.default.c1.lan. 5 IN A 10.101.1.9")},
	// no transfers
	{Qname: "c1.lan.", Qtype: dns.TypeAXFR, Rcode: dns.RcodeRefused},
}

// startSet starts two members and a server in front of them, with options more.
func startSet(t *testing.T, options string) *coreDNS {
	t.Helper()
	c1 := startMember(t, "127.0.61.10", "cluster.local c1.zone", "101.10.in-addr.arpa reverse.zone")
	c2 := startMember(t, "127.0.62.10", "cluster2.lan c2.zone")
	path := document(t, `
- {name: c1, serviceCIDRs: [10.101.0.0/19, "fd00:101::/112"], dns: ["`+c1+`"]}
- {name: c2.eu, serviceCIDRs: [10.102.0.0/19], dns: ["`+c2+`"], clusterDomain: cluster2.lan}
`)
	return startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		metadata
		clusterset lan in-addr.arpa {
			file `+path+`
			`+options+`
		}
		file testdata/example.zone example.org
	}`)
}

func TestAnswers(t *testing.T) {
	s := startSet(t, "")
	for _, tc := range answers {
		for _, network := range []string{"udp", "tcp"} {
			t.Run(dns.TypeToString[tc.Qtype]+" "+tc.Qname+" "+network, func(t *testing.T) {
				m := lookup(t, s.addr, network, tc.Qname, tc.Qtype)
				withoutEDNS(m)
				if err := test.SortAndCheck(m, tc); err != nil {
					t.Errorf("%v\n%v", err, m)
				}
				if len(m.Answer)+len(m.Ns) > 0 && !m.Authoritative {
					t.Error("not authoritative")
				}
			})
		}
	}
}

func withoutEDNS(m *dns.Msg) {
	var rest []dns.RR
	for _, rr := range m.Extra {
		if rr.Header().Rrtype != dns.TypeOPT {
			rest = append(rest, rr)
		}
	}
	m.Extra = rest
}

// TestCase: the question's case is kept, in the answer's owner and in the part
// of other names that comes from it.
func TestCase(t *testing.T) {
	s := startSet(t, "")
	m := lookup(t, s.addr, "udp", "_HTTP._tcp.Web.Default.SVC.C1.Lan.", dns.TypeSRV)
	want := "_HTTP._tcp.Web.Default.SVC.C1.Lan.\t5\tIN\tSRV\t0 100 80 web.default.svc.C1.Lan."
	if len(m.Answer) != 1 || m.Answer[0].String() != want {
		t.Errorf("got %v, want %s", m.Answer, want)
	}
}

// TestExternalNameLoop: two members' ExternalNames that lead to each other end,
// with what there is.
func TestExternalNameLoop(t *testing.T) {
	s := startSet(t, "")
	m := lookup(t, s.addr, "udp", "ping.default.c1.lan.", dns.TypeA)
	if m.Rcode != dns.RcodeSuccess || len(m.Answer) == 0 {
		t.Errorf("got %v", m)
	}
}

// TestLongName: a name that is too long in the member's domain can't exist.
func TestLongName(t *testing.T) {
	s := startSet(t, "")
	label := "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa." // 63 bytes
	for _, name := range []string{label + "default.c1.lan.", label + label + label + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.c1.lan."} {
		if m := lookup(t, s.addr, "udp", name, dns.TypeA); m.Rcode != dns.RcodeNameError {
			t.Errorf("%d bytes: %s", len(name), dns.RcodeToString[m.Rcode])
		}
	}
}
