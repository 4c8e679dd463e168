package clusterset

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

// guardedAddresses are those that a member of 10.101.0.0/16 and fd00:101::/64 may not
// give, whatever name leads to them; c2 beside it is 10.102.0.0/16, with a gateway.
var guardedAddresses = []string{
	"0.0.0.0", "0.1.2.3", "127.0.0.1", "169.254.169.254", "224.0.0.1", "239.1.2.3", "240.0.0.1", "255.255.255.255",
	"100.100.100.200", "168.63.129.16", "192.0.0.192", "10.102.0.20", "203.0.113.2",
	"::", "::1", "fe80::1", "ff02::1", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42", "fd00:a9fe:a9fe::1", "fd00:c1::a9fe:a9fe", "fd00:100::100:200", "fd00:102::20", "2001:db8::2",
	"::169.254.169.254", "::ffff:169.254.169.254", "::ffff:0:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "64:ff9b:1:a9fe:a9:fe00::",
	"2002:a9fe:a9fe::1", "2001:0:c000:201::80ff:fffe", "64:ff9b::10.102.0.20", "2002:cb00:7102::1", "64:ff9b::168.63.129.16",
}

// harmlessAddresses are those that it may give: its own, and what nobody claims.
var harmlessAddresses = []string{"10.101.0.7", "203.0.113.1", "192.0.2.80", "fd00:101::7", "2001:db8::80", "64:ff9b::c000:250", "2002:c000:250::1"}

func typeOf(addr string) uint16 {
	if netip.MustParseAddr(addr).Is4() {
		return dns.TypeA
	}
	return dns.TypeAAAA
}

// TestGuard: addresses are judged in the reply as it goes out, whatever way led to them.
func TestGuard(t *testing.T) {
	zone := "cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5\n"
	evil := "$ORIGIN evil.test.\n@ 5 IN SOA ns hostmaster 1 7200 1800 86400 5\n"
	all := slices.Concat(guardedAddresses, harmlessAddresses)
	for i, addr := range all {
		rrtype := dns.TypeToString[typeOf(addr)]
		zone += fmt.Sprintf("a%d.default.svc.cluster.local. 5 IN %s %s\n", i, rrtype, addr)
		zone += fmt.Sprintf("near%d.default.svc.cluster.local. 5 IN CNAME a%d.default.svc.cluster.local.\n", i, i)
		zone += fmt.Sprintf("out%d.default.svc.cluster.local. 5 IN CNAME e%d.evil.test.\n", i, i)
		zone += fmt.Sprintf("far%d.default.svc.cluster.local. 5 IN CNAME f%d.evil.test.\n", i, i)
		zone += fmt.Sprintf("other%d.default.svc.cluster.local. 5 IN CNAME far%d.default.c3.lan.\n", i, i)
		evil += fmt.Sprintf("e%d 5 IN %s %s\nf%d 5 IN CNAME e%d\n", i, rrtype, addr, i, i)
	}
	zone += "to2.default.svc.cluster.local. 5 IN CNAME web.default.c2.lan.\n" + "web.default.svc.cluster.local. 5 IN A 10.102.0.20\n"
	path := filepath.Join(t.TempDir(), "evil.zone")
	if err := os.WriteFile(path, []byte(evil), 0o600); err != nil {
		t.Fatal(err)
	}
	member := clustertest.Serve(t, clustertest.Zone(t, zone)).Addr.String()
	start := func(options string) *coreDNS {
		return startCoreDNS(t, `.:PORT {
			bind 127.77.0.1
			clusterset lan {
				file `+document(t, `
- {name: c1, serviceCIDRs: [10.101.0.0/16, "fd00:101::/64"], gateways: [203.0.113.1], dns: ["`+member+`"]}
- {name: c2, serviceCIDRs: [10.102.0.0/16, "fd00:102::/64"], gateways: [203.0.113.2, "2001:db8::2"], dns: ["`+member+`"]}
- {name: c3, serviceCIDRs: [10.103.0.0/16], dns: ["`+member+`"]}
`)+`
				`+options+`
			}
			file `+path+` evil.test
		}`)
	}
	guarded, open := start(""), start("address_guard off")
	for i, addr := range all {
		for _, way := range []string{"a", "near", "out", "far", "other"} {
			if way == "other" && (strings.HasPrefix(addr, "10.101.") || strings.HasPrefix(addr, "203.0.113.1") || strings.HasPrefix(addr, "fd00:101:")) {
				continue // c3 may not give c1's
			}
			name := fmt.Sprintf("%s%d.default.c1.lan.", way, i)
			for range 2 { // the second one from the cache
				m := lookup(t, guarded.addr, "udp", name, typeOf(addr))
				code, text := explanation(m)
				if i < len(guardedAddresses) {
					if m.Rcode != dns.RcodeServerFailure || lastAddress(m) != "" || code != dns.ExtendedErrorCodeFiltered || !strings.HasPrefix(text, "member c") {
						t.Errorf("%s %s: %s", name, addr, summary(m))
					}
				} else if m.Rcode != dns.RcodeSuccess || lastAddress(m) != addr {
					t.Errorf("%s %s: %s", name, addr, summary(m))
				}
			}
			if m := lookup(t, open.addr, "udp", name, typeOf(addr)); lastAddress(m) != netip.MustParseAddr(addr).Unmap().String() {
				t.Errorf("address_guard off: %s %s: %s", name, addr, summary(m))
			}
		}
	}
	if m := lookup(t, guarded.addr, "udp", "to2.default.c1.lan.", dns.TypeA); lastAddress(m) != "10.102.0.20" {
		t.Errorf("a CNAME to a name of the address's own member: %v", m)
	}
}

// lastAddress is that of the answer's last record, or "".
func lastAddress(m *dns.Msg) string {
	if len(m.Answer) == 0 {
		return ""
	}
	addr, ok := address(m.Answer[len(m.Answer)-1])
	if !ok {
		return ""
	}
	return addr.String()
}

// TestFollowedAnswer: of what is found for a CNAME's target only that is given which
// answers the question; and a name of ours, wherever it comes up, is looked up here.
func TestFollowedAnswer(t *testing.T) {
	resolver := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetReply(r)
		switch r.Question[0].Name {
		case "a.evil.test.":
			m.Answer = rrs("a.evil.test. 4294967295 IN A 192.0.2.1", "web.default.c2.lan. 5 IN A 192.0.2.66", "b.evil.test. 5 IN A 192.0.2.66", "test. 5 IN DNAME x.")
			m.Ns, m.Extra = rrs("lan. 5 IN NS ns.evil.test."), rrs("ns.evil.test. 5 IN A 192.0.2.66")
		case "b.evil.test.":
			m.Answer = rrs("b.evil.test. 5 IN CNAME web.default.c2.lan.", "web.default.c2.lan. 5 IN A 192.0.2.66")
		case "c.evil.test.":
			m.Ns = rrs("lan. 5 IN NS ns.evil.test.", "lan. 5 IN SOA ns.evil.test. h.evil.test. 1 2 3 4 5", "lan. 5 IN NSEC zzz.lan. A", "evil.test. 4294967295 IN SOA ns.evil.test. h.evil.test. 1 2 3 4 5")
		case "d.evil.test.":
			m.Answer = rrs("d.evil.test. 5 IN CNAME web.default.svc.cluster.local.", "web.default.svc.cluster.local. 5 IN A 169.254.169.254")
		case "e.evil.test.":
			m.Answer, m.Ns = rrs("e.evil.test. 5 IN CNAME none.default.c2.lan."), rrs("lan. 5 IN SOA ns.evil.test. h.evil.test. 1 2 3 4 5")
		case "h.evil.test.":
			m.Answer = rrs("h.evil.test. 5 IN HTTPS 1 . alpn=h2 ipv4hint=127.0.0.1")
		case "j.evil.test.":
			m.Answer = rrs(". 5 IN DNAME y.", "j.evil.test. 5 IN CNAME j.evil.testy.", "j.evil.testy. 5 IN A 192.0.2.1")
		case "k.other.local.":
			m.Answer = rrs("local. 5 IN DNAME x.test.", "k.other.local. 5 IN CNAME k.other.x.test.", "k.other.x.test. 5 IN A 192.0.2.1")
		case "i.evil.test.":
			m.Rcode = dns.RcodeNotImplemented
		}
		_ = w.WriteMsg(m) // the client may be gone
	}).Addr.String()
	var zone string
	for _, name := range []string{"a", "b", "c", "d", "e", "h", "i", "j"} {
		zone += name + ".default.svc.cluster.local. 5 IN CNAME " + name + ".evil.test.\n"
	}
	zone += "k.default.svc.cluster.local. 5 IN CNAME k.other.local.\n"
	member := clustertest.Serve(t, clustertest.Zone(t, memberZone+zone)).Addr.String()
	here := filepath.Join(t.TempDir(), "here.zone")
	if err := os.WriteFile(here, []byte("$ORIGIN cluster.local.\n@ 5 IN SOA ns hostmaster 1 7200 1800 86400 5\nweb.default.svc 5 IN A 10.103.0.7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		clusterset lan {
			file `+document(t, clusterAt("c1", member, "")+"- {name: c2, serviceCIDRs: [10.102.0.0/16], dns: [\""+clustertest.Serve(t, clustertest.Zone(t, "x. 5 IN SOA x. x. 1 2 3 4 5\nweb.default.svc.cluster.local. 5 IN A 10.102.0.7")).Addr.String()+"\"]}\n"+
		"- {name: here, serviceCIDRs: [10.103.0.0/16]}\n")+`
			local here
		}
		file `+here+` cluster.local
		forward . `+resolver+`
	}`)
	tests := []struct {
		name  string
		qtype uint16
		rcode int
		want  []string
		zone  string // whose SOA is in the authority section
	}{
		{"a", dns.TypeA, dns.RcodeSuccess, []string{"CNAME a.evil.test.", "A 192.0.2.1"}, ""},
		{"b", dns.TypeA, dns.RcodeSuccess, []string{"CNAME b.evil.test.", "CNAME web.default.c2.lan.", "A 10.102.0.7"}, ""},
		{"c", dns.TypeA, dns.RcodeSuccess, []string{"CNAME c.evil.test."}, "evil.test."},
		{"d", dns.TypeA, dns.RcodeSuccess, []string{"CNAME d.evil.test.", "CNAME web.default.svc.cluster.local.", "A 10.103.0.7"}, ""},
		{"e", dns.TypeA, dns.RcodeNameError, []string{"CNAME e.evil.test.", "CNAME none.default.c2.lan."}, "c2.lan."},
		{"h", dns.TypeHTTPS, dns.RcodeSuccess, []string{"CNAME h.evil.test.", `HTTPS 1 . alpn="h2"`}, ""},
		{"i", dns.TypeA, dns.RcodeServerFailure, []string{"CNAME i.evil.test."}, ""},
		{"j", dns.TypeA, dns.RcodeSuccess, []string{"CNAME j.evil.test.", "CNAME j.evil.testy.", "A 192.0.2.1"}, ""},
		{"k", dns.TypeA, dns.RcodeSuccess, []string{"CNAME k.other.local.", "CNAME k.other.x.test.", "A 192.0.2.1"}, ""},
	}
	for _, tt := range tests {
		m := lookup(t, s.addr, "udp", tt.name+".default.c1.lan.", tt.qtype)
		var got []string
		for _, rr := range m.Answer {
			got = append(got, strings.Join(strings.Fields(rr.String())[3:], " "))
		}
		if !slices.Equal(got, tt.want) || m.Rcode != tt.rcode {
			t.Errorf("%s: got %s %q, want %q", tt.name, dns.RcodeToString[m.Rcode], got, tt.want)
		}
		for _, rr := range slices.Concat(m.Answer, m.Ns, m.Extra) {
			if h := rr.Header(); h.Name == "lan." || h.Name == "ns.evil.test." || h.Rrtype != dns.TypeOPT && h.Ttl > 3600 {
				t.Errorf("%s: %v", tt.name, rr)
			}
		}
		if owners := ownersOf(m.Ns); owners != tt.zone {
			t.Errorf("%s: authority of %q, want %q", tt.name, owners, tt.zone)
		}
	}
}

// ownersOf are whose records are in a section.
func ownersOf(rrs []dns.RR) string {
	var owners []string
	for _, rr := range rrs {
		owners = append(owners, rr.Header().Name)
	}
	return strings.Join(owners, " ")
}

// TestGuardFollowedForeign: of a member in another network, whose addresses are others'
// here, only the gateways are given, also where a CNAME leads to somebody else's name.
func TestGuardFollowedForeign(t *testing.T) {
	evil := filepath.Join(t.TempDir(), "evil.zone")
	if err := os.WriteFile(evil, []byte("$ORIGIN evil.test.\n@ 5 IN SOA ns hostmaster 1 7200 1800 86400 5\na 5 IN A 10.101.0.9\nb 5 IN A 203.0.113.3\nc 5 IN A 192.0.2.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	zone := memberZone
	for _, name := range []string{"a", "b", "c"} {
		zone += name + ".default.svc.cluster.local. 5 IN CNAME " + name + ".evil.test.\n"
	}
	member := clustertest.Serve(t, clustertest.Zone(t, zone)).Addr.String()
	s := startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		clusterset lan {
			file `+document(t, clusterAt("here", member, "")+clusterAt("far", member, ", network: other, gateways: [203.0.113.3]"))+`
			local here
		}
		file `+evil+` evil.test
	}`)
	for name, want := range map[string]string{"a": "", "b": "203.0.113.3", "c": "192.0.2.1", "web": "203.0.113.3"} {
		m := lookup(t, s.addr, "udp", name+".default.far.lan.", dns.TypeA)
		if lastAddress(m) != want || (m.Rcode == dns.RcodeServerFailure) != (want == "") {
			t.Errorf("%s: %v", name, m)
		}
	}
}

// TestGuardPods: a member that declares where its pods are has said where everything is.
func TestGuardPods(t *testing.T) {
	member := clustertest.Serve(t, clustertest.Zone(t, `cluster.local. 5 IN SOA ns.dns.cluster.local. h.cluster.local. 1 7200 1800 86400 5
service.default.svc.cluster.local. 5 IN A 10.101.0.7
pod.default.svc.cluster.local. 5 IN A 10.51.0.7
gateway.default.svc.cluster.local. 5 IN A 203.0.113.1
lb.default.svc.cluster.local. 5 IN A 203.0.113.77
metadata.default.svc.cluster.local. 5 IN A 100.100.100.200
other.default.svc.cluster.local. 5 IN A 192.0.2.1
nat.default.svc.cluster.local. 5 IN AAAA 64:ff9b::10.101.0.7
nat2.default.svc.cluster.local. 5 IN AAAA 64:ff9b::10.101.0.7
`)).Addr.String()
	s := serveSet(t, `- {name: c1, serviceCIDRs: [10.101.0.0/16], podCIDRs: [10.51.0.0/16, 100.100.100.0/24], gateways: [203.0.113.1], loadBalancerCIDRs: [203.0.113.64/26], dns: ["`+member+`"]}`+"\n", "")
	for name, want := range map[string]int{"service": 0, "pod": 0, "gateway": 0, "lb": 0, "metadata": 0, "other": dns.RcodeServerFailure, "nat": dns.RcodeServerFailure} {
		qtype := dns.TypeA
		if name == "nat" {
			qtype = dns.TypeAAAA
		}
		if m := lookup(t, s.addr, "udp", name+".default.c1.lan.", qtype); m.Rcode != want || (want == 0) != (len(m.Answer) == 1) {
			t.Errorf("%s: %v", name, m)
		}
	}
}

// replying answers with records of each section, in the wire's own form: an owner, and
// what comes after it, from the question.
func replying(t *testing.T, records func(name string) (answer, ns, extra []dns.RR)) string {
	t.Helper()
	return clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(r)
		m.AuthenticatedData = true
		m.Answer, m.Ns, m.Extra = records(r.Question[0].Name)
		_ = w.WriteMsg(m) // the client may be gone
	}).Addr.String()
}

// TestRecords: of a member's reply only what answers the question is given, by UDP, by
// TCP, and from the cache.
func TestRecords(t *testing.T) {
	const www = "web.default.svc.cluster.local."
	sig := " 5 IN RRSIG A 8 2 5 20300101000000 20260101000000 1 cluster.local. AAAA"
	noBytes := func(rrtype uint16) dns.RR {
		return &dns.ANY{Hdr: dns.RR_Header{Name: www, Rrtype: rrtype, Class: dns.ClassINET, Ttl: 5}}
	}
	tests := []struct {
		name  string
		qtype uint16
		reply func() (answer, ns, extra []dns.RR)
		want  []string // the answer's data
	}{
		{"an owner nobody asked for", dns.TypeA, func() ([]dns.RR, []dns.RR, []dns.RR) {
			return rrs(www+" 5 IN A 10.101.0.1", "login.default.svc.cluster.local. 5 IN A 10.101.0.2"), nil, nil
		}, []string{"A 10.101.0.1"}},
		{"class CH", dns.TypeA, func() ([]dns.RR, []dns.RR, []dns.RR) {
			return rrs(www+" 5 IN A 10.101.0.1", www+" 5 CH A 10.101.0.2"), nil, nil
		}, []string{"A 10.101.0.1"}},
		{"an A record of no bytes", dns.TypeA, func() ([]dns.RR, []dns.RR, []dns.RR) {
			return append(rrs(www+" 5 IN A 10.101.0.1"), noBytes(dns.TypeA)), nil, nil
		}, []string{"A 10.101.0.1"}},
		{"an AAAA record of no bytes", dns.TypeAAAA, func() ([]dns.RR, []dns.RR, []dns.RR) {
			return append(rrs(www+" 5 IN AAAA fd00:101::1"), noBytes(dns.TypeAAAA)), nil, nil
		}, []string{"AAAA fd00:101::1"}},
		{"an HTTPS record without its mandatory key", dns.TypeHTTPS, func() ([]dns.RR, []dns.RR, []dns.RR) {
			return []dns.RR{&dns.RFC3597{Hdr: dns.RR_Header{Name: www, Rrtype: dns.TypeHTTPS, Class: dns.ClassINET, Ttl: 5}, Rdata: "000100" + "00000002" + "0001" + "00030002" + "0050"}}, nil, nil
		}, nil},
		{"CNAMEs out of order", dns.TypeA, func() ([]dns.RR, []dns.RR, []dns.RR) {
			return rrs("c.cluster.local. 5 IN A 10.101.0.1", "b.cluster.local. 5 IN CNAME c.cluster.local.", www+" 5 IN CNAME b.cluster.local."), nil, nil
		}, []string{"CNAME b.c1.lan.", "CNAME c.c1.lan.", "A 10.101.0.1"}},
		{"TTLs", dns.TypeTXT, func() ([]dns.RR, []dns.RR, []dns.RR) {
			return rrs(www+` 86400 IN TXT "x"`, www+` 4294967295 IN TXT "y"`), nil, nil
		}, []string{`TXT "x"`, `TXT "y"`}},
		{"names in data", dns.TypeNAPTR, func() ([]dns.RR, []dns.RR, []dns.RR) {
			return rrs(www + ` 5 IN NAPTR 1 2 "S" "http" "" _http._tcp.cluster.local.`), nil, nil
		}, []string{`NAPTR 1 2 "S" "http" "" _http._tcp.c1.lan.`}},
		{"a DNAME beside its CNAME", dns.TypeA, func() ([]dns.RR, []dns.RR, []dns.RR) {
			return rrs("svc.cluster.local. 5 IN DNAME cluster.local.", www+" 5 IN CNAME web.default.cluster.local.", "web.default.cluster.local. 5 IN A 10.101.0.1"), nil, nil
		}, []string{"CNAME web.default.c1.lan.", "A 10.101.0.1"}},
		{"other sections", dns.TypeA, func() ([]dns.RR, []dns.RR, []dns.RR) {
			return rrs(www + " 5 IN A 10.101.0.1"), rrs("org. 5 IN NS ns.evil.test.", "org."+sig, "b.cluster.local. 5 IN NS ns.evil.test.", "cluster.local. 5 IN NS ns.evil.test.", "svc.cluster.local. 5 IN NS ns.evil.test."), rrs("ns.evil.test. 5 IN A 10.101.0.9", "b.cluster.local. 5 IN A 10.101.0.9")
		}, []string{"A 10.101.0.1"}},
		{"a name server", dns.TypeNS, func() ([]dns.RR, []dns.RR, []dns.RR) {
			return rrs(www + " 5 IN NS ns.evil.test."), nil, nil
		}, nil},
		{"a name server among all", dns.TypeANY, func() ([]dns.RR, []dns.RR, []dns.RR) {
			return rrs(www+" 5 IN NS ns.evil.test.", www+" 5 IN A 10.101.0.1"), nil, nil
		}, []string{"A 10.101.0.1"}},
		{"an address that hides", dns.TypeAPL, func() ([]dns.RR, []dns.RR, []dns.RR) {
			return rrs(www + " 5 IN APL 1:127.0.0.1/32"), nil, nil
		}, nil},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			member := replying(t, func(name string) (answer, ns, extra []dns.RR) {
				if !strings.EqualFold(name, www) {
					return nil, nil, nil
				}
				return tt.reply()
			})
			s := serveSet(t, clusterAt("c1", member, "")+clusterAt("signed", member, ", clusterDomain: signed.lan"), "")
			for _, network := range []string{"udp", "tcp", "udp"} {
				m := lookup(t, s.addr, network, "web.default.c1.lan.", tt.qtype)
				var got []string
				for _, rr := range m.Answer {
					text := strings.Fields(rr.String())
					got = append(got, strings.Join(text[3:], " "))
					if ttl := rr.Header().Ttl; ttl > 3600 {
						t.Errorf("TTL %d", ttl)
					}
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("%d %s: got %q, want %q", i, network, got, tt.want)
				}
				if m.AuthenticatedData {
					t.Error("AD")
				}
				for _, rr := range slices.Concat(m.Ns, m.Extra) {
					if h := rr.Header(); h.Rrtype == dns.TypeNS || h.Rrtype != dns.TypeOPT && !strings.HasSuffix(h.Name, "c1.lan.") {
						t.Errorf("%s: %v", network, rr)
					}
				}
			}
		})
	}
}

// TestSignedAuthority: a signature lets nothing pass of a member that serves its names as
// they are asked here.
func TestSignedAuthority(t *testing.T) {
	sig := func(owner string) string {
		return owner + " 5 IN RRSIG SOA 8 2 5 20300101000000 20260101000000 1 c1.lan. AAAA"
	}
	member := replying(t, func(name string) (answer, ns, extra []dns.RR) {
		if strings.HasPrefix(name, "bare.") {
			return nil, rrs("lan. 5 IN SOA ns.evil.test. h.evil.test. 1 2 3 4 5", "lan. 5 IN NS ns.evil.test.", sig("c1.lan.")), nil
		}
		return nil, append(rrs("lan. 5 IN SOA ns.evil.test. h.evil.test. 1 2 3 4 5", "lan. 5 IN NS ns.evil.test.", "c1.lan. 5 IN NS ns.evil.test.", "c1.lan. 86400 IN SOA ns.dns.c1.lan. h.c1.lan. 1 2 3 4 5", sig("c1.lan."), "org. 5 IN NS ns.evil.test.", sig("org."), "c1.lan. 5 CH NS x.",
			"x.c1.lan. 5 IN A 127.0.0.1", "a.c1.lan. 5 IN NSEC b.c1.lan. A"), &dns.ANY{Hdr: dns.RR_Header{Name: "c1.lan.", Rrtype: dns.TypeNS, Class: dns.ClassINET}}), rrs("www.evil.test. 5 IN A 127.0.0.1")
	})
	s := serveSet(t, clusterAt("c1", member, ", clusterDomain: c1.lan"), "")
	m := new(dns.Msg)
	m.SetQuestion("web.default.svc.c1.lan.", dns.TypeA)
	m.SetEdns0(4096, true)
	reply := send(t, s.addr, "udp", m)
	if len(reply.Ns) != 3 || reply.AuthenticatedData || len(reply.Extra) != 1 {
		t.Fatalf("got %v", reply)
	}
	for _, rr := range reply.Ns {
		if !strings.HasSuffix(rr.Header().Name, "c1.lan.") || rr.Header().Ttl > 3600 || rr.Header().Rrtype == dns.TypeA {
			t.Errorf("%v", rr)
		}
	}
	m.SetQuestion("bare.default.svc.c1.lan.", dns.TypeA)
	if reply = send(t, s.addr, "udp", m); ownersOf(reply.Ns) != "c1.lan." || reply.Ns[0].Header().Rrtype != dns.TypeSOA {
		t.Errorf("a signature of nothing: %v", reply)
	}
}

// TestPointers: a member names addresses by names of its own, however it gives them.
func TestPointers(t *testing.T) {
	evil := filepath.Join(t.TempDir(), "evil.zone")
	if err := os.WriteFile(evil, []byte("$ORIGIN evil.test.\n@ 5 IN SOA ns hostmaster 1 7200 1800 86400 5\np 5 IN PTR www.bank.example.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	member := replying(t, func(name string) (answer, ns, extra []dns.RR) {
		switch name {
		case "1.0.101.10.in-addr.arpa.":
			return rrs(name + " 5 IN PTR www.bank.example."), nil, nil
		case "2.0.101.10.in-addr.arpa.":
			return rrs(name+" 5 IN PTR www.bank.example.", name+" 5 IN PTR web.default.svc.cluster.local."), nil, nil
		case "3.0.101.10.in-addr.arpa.":
			return rrs(name + " 5 IN CNAME p.evil.test."), nil, nil
		}
		return rrs(name + " 5 IN PTR web.default.c2.lan."), nil, nil
	})
	s := startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		clusterset lan 10.in-addr.arpa {
			file `+document(t, clusterAt("c1", member, ""))+`
		}
		file `+evil+` evil.test
	}`)
	for name, want := range map[string]string{"1": "SERVFAIL Filtered", "2": "NOERROR 5 web.default.svc.c1.lan.", "3": "SERVFAIL Filtered", "4": "SERVFAIL Filtered"} {
		m := lookup(t, s.addr, "udp", name+".0.101.10.in-addr.arpa.", dns.TypePTR)
		if got := summary(m); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestLookupLimit: one question makes 24 look-ups, over however many servers like this
// one its CNAMEs lead; and then fails alone.
func TestLookupLimit(t *testing.T) {
	for servers := 1; servers <= 3; servers++ {
		t.Run(fmt.Sprint(servers), func(t *testing.T) {
			var asked, replies atomic.Int64
			var names sync.Map
			at := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
				m := new(dns.Msg)
				m.SetReply(r)
				if r.Question[0].Qtype == dns.TypeA {
					if _, again := names.LoadOrStore(r.Question[0].Name, true); !again { // not a message sent again
						asked.Add(1)
					}
					n := replies.Add(1)
					m.Answer = rrs(fmt.Sprintf("%s 0 IN CNAME n%d.default.svc.cluster.local.", r.Question[0].Name, n))
					if strings.HasPrefix(r.Question[0].Name, "web.") {
						m.Answer = rrs(r.Question[0].Name + " 0 IN A 10.101.0.1")
					}
				}
				_ = w.WriteMsg(m) // the client may be gone
			}).Addr.String()
			var s *coreDNS
			domain := ""
			for range servers {
				s = startCoreDNS(t, ".:PORT {\nbind 127.77.0.1\nclusterset lan {\nfile "+document(t, clusterAt("c1", at, domain))+"\n}\n}")
				at, domain = s.addr, ", clusterDomain: c1.lan"
			}
			m := lookup(t, s.addr, "udp", "x.default.svc.c1.lan.", dns.TypeA)
			code, text := explanation(m)
			if m.Rcode != dns.RcodeServerFailure || code != dns.ExtendedErrorCodeNoReachableAuthority || !strings.Contains(text, "too many look-ups") {
				t.Errorf("got %v", m)
			}
			if n := asked.Load(); n > maxLookups+1 {
				t.Errorf("the member was asked %d times", n)
			}
			if m := lookup(t, s.addr, "udp", "web.default.svc.c1.lan.", dns.TypeA); lastAddress(m) != "10.101.0.1" {
				t.Errorf("another question: %v", m)
			}
		})
	}
}

// TestLookupLimitReplicas: a server that has spent what its question had left says so, also
// behind its cache plugin, and its replica isn't asked again.
func TestLookupLimitReplicas(t *testing.T) {
	clustertest.Tries(t, func() error { return tryReplicas(t) }) // a busy machine has queries sent again
}

func tryReplicas(t *testing.T) error {
	t.Helper()
	var asked atomic.Int64
	member := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetReply(r)
		if r.Question[0].Qtype == dns.TypeA {
			m.Answer = rrs(fmt.Sprintf("%s 0 IN CNAME n%d.default.svc.cluster.local.", r.Question[0].Name, asked.Add(1)))
		}
		_ = w.WriteMsg(m) // the client may be gone
	}).Addr.String()
	start := func(clusters string) *coreDNS {
		return startCoreDNS(t, ".:PORT {\nbind 127.77.0.1\ncache\nclusterset lan {\nfile "+document(t, clusters)+"\n}\n}")
	}
	behind := clusterAt("c1", member, "")
	replicas := start(behind).addr + `", "` + start(behind).addr
	replicas = start(clusterAt("c1", replicas, ", clusterDomain: c1.lan")).addr + `", "` + start(clusterAt("c1", replicas, ", clusterDomain: c1.lan")).addr
	s := start(clusterAt("c1", replicas, ", clusterDomain: c1.lan"))
	m := lookup(t, s.addr, "udp", "x.default.svc.c1.lan.", dns.TypeA)
	if m.Rcode != dns.RcodeServerFailure {
		t.Errorf("got %v", m)
	}
	if n := asked.Load(); n > maxLookups+1 {
		return fmt.Errorf("the member was asked %d times", n)
	}
	return nil
}

// TestLookupLimitRefreshed: what is asked again for being stale, or nearly so, is part of
// the question too that led there.
func TestLookupLimitRefreshed(t *testing.T) {
	var asked, whole atomic.Int64
	behind := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if r.Question[0].Qtype == dns.TypeA {
			asked.Add(1)
			if leftOf(r) == maxLookups {
				whole.Add(1)
			}
		}
		m := new(dns.Msg).SetReply(r)
		m.Answer = rrs(r.Question[0].Name + " 1 IN A 10.101.0.1")
		_ = w.WriteMsg(m) // the client may be gone
	}).Addr.String()
	member := clustertest.Serve(t, clustertest.Zone(t, memberZone+"near.default.svc.cluster.local. 5 IN CNAME far.default.c2.lan.\n")).Addr.String()
	s := startCoreDNS(t, ".:PORT {\nbind 127.77.0.1\nclusterset lan {\nfile "+document(t, clusterAt("c1", member, "")+clusterAt("c2", behind, ""))+"\n}\n}")
	eventually(t, 10*time.Second, "the name behind is asked for four times", func() bool {
		m := lookup(t, s.addr, "udp", "near.default.c1.lan.", dns.TypeA)
		return lastAddress(m) == "10.101.0.1" && asked.Load() >= 4
	})
	if n := whole.Load(); n > 0 {
		t.Errorf("%d of %d with a budget of their own", n, asked.Load())
	}
}

// TestLookupLimitForged: a client that says its question may make no look-up fails
// itself, and nobody else who asks for the same name.
func TestLookupLimitForged(t *testing.T) {
	member := clustertest.Serve(t, clustertest.Zone(t, memberZone+"near.default.svc.cluster.local. 5 IN CNAME far.default.c1.lan.\nfar.default.svc.cluster.local. 5 IN A 10.101.0.3\n")).Addr.String()
	s := startCoreDNS(t, ".:PORT {\nbind 127.77.0.1\ncache\nclusterset lan {\nfile "+document(t, clusterAt("c1", member, ""))+"\n}\n}")
	for _, data := range [][]byte{{0, 0}, {1, 0}} {
		m := new(dns.Msg)
		m.SetQuestion("near.default.c1.lan.", dns.TypeA)
		m.SetEdns0(1232, false)
		m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_LOCAL{Code: hopsOption, Data: data}}
		if reply := send(t, s.addr, "udp", m); reply.Rcode != dns.RcodeRefused {
			t.Errorf("%v: %v", data, reply)
		}
	}
	if m := lookup(t, s.addr, "udp", "near.default.c1.lan.", dns.TypeA); lastAddress(m) != "10.101.0.3" {
		t.Errorf("got %v", m)
	}
}

// TestFollowedInFlight: what a member's CNAMEs lead to counts as the member's queries,
// until it is over.
func TestFollowedInFlight(t *testing.T) {
	hold := make(chan struct{})
	var waiting atomic.Int64
	resolver := clustertest.Serve(t, func(dns.ResponseWriter, *dns.Msg) {
		waiting.Add(1)
		<-hold
	})
	t.Cleanup(func() { close(hold) }) // before the server is stopped
	var zone strings.Builder
	zone.WriteString(memberZone)
	for i := range 20 {
		fmt.Fprintf(&zone, "out%d.default.svc.cluster.local. 5 IN CNAME w%d.example.org.\n", i, i)
	}
	member := clustertest.Serve(t, clustertest.Zone(t, zone.String())).Addr.String()
	s := startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		clusterset lan {
			file `+document(t, clusterAt("c1", member, "")+clusterAt("c2", member, ""))+`
			max_concurrent 5
			timeout 300ms
		}
		forward . `+resolver.Addr.String()+`
	}`)
	replies := make(chan int, 20)
	for i := range 20 {
		go func() {
			m := new(dns.Msg)
			m.SetQuestion(fmt.Sprintf("out%d.default.c1.lan.", i), dns.TypeA)
			client := &dns.Client{Timeout: inTime}
			if reply, _, err := client.Exchange(m, s.addr); err == nil {
				replies <- reply.Rcode
			} else {
				replies <- -1
			}
		}()
	}
	refused := 0
	for range 20 {
		if rcode := <-replies; rcode == dns.RcodeRefused {
			refused++
		}
	}
	if n := waiting.Load(); refused < 15 || n > 2*5 { // forward asks twice
		t.Errorf("%d refused, %d under way", refused, n)
	}
	// They are under way still, though their clients were answered. There may be fewer than
	// five, as a query that has its reply and one that asks the member took turns.
	full := false
	for try := 0; try < 5 && !full; try++ {
		full = lookup(t, s.addr, "udp", "out19.default.c1.lan.", dns.TypeA).Rcode == dns.RcodeRefused
	}
	if !full {
		t.Errorf("%d under way, and more is looked up", waiting.Load())
	}
	if m := lookup(t, s.addr, "udp", "web.default.c2.lan.", dns.TypeA); len(m.Answer) != 1 {
		t.Errorf("another member's: %v", m)
	}
}

// TestExplanationFits: what a client is told is ours, and short.
func TestExplanationFits(t *testing.T) {
	authority := clustertest.NewAuthority(t)
	a := newAuthority(t)
	cert, key := authority.Issue(t, strings.Repeat("a.very.long.name.", 14)+"example")
	a.write(t, "server.pem", cert)
	a.write(t, "server.key", key)
	addr := freeAddress(t, "127.0.63.10")
	startCoreDNS(t, "tls://.:"+addr[strings.LastIndexByte(addr, ':')+1:]+" {\nbind 127.0.63.10\ntls "+a.path("server.pem")+" "+a.path("server.key")+"\nwhoami\n}")
	a.write(t, "ca.pem", authority.PEM)
	s := serveSet(t, clusterAt("c1", "tls://"+addr, ", tls: {caFile: "+a.path("ca.pem")+"}"), "")
	m := lookup(t, s.addr, "udp", "web.default.c1.lan.", dns.TypeA)
	_, text := explanation(m)
	if m.Rcode != dns.RcodeServerFailure || len(text) > maxExtraText || strings.Contains(text, "very.long") || !strings.HasPrefix(text, "member c1: ") {
		t.Errorf("%q: %v", text, m)
	}
	if n := m.Len(); n > dns.MinMsgSize {
		t.Errorf("%d bytes", n)
	}
}

// TestExplanationFollowed: of what a look-up's reply explains one extended error is given,
// and none where the reply doesn't fit with it.
func TestExplanationFollowed(t *testing.T) {
	resolver := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetReply(r)
		addresses, explanations := 1, 60
		if strings.HasPrefix(r.Question[0].Name, "many.") { // with one more it wouldn't fit
			addresses, explanations = 27, 2
		}
		for i := range addresses {
			m.Answer = append(m.Answer, rrs(fmt.Sprintf("%s 5 IN A 192.0.2.%d", r.Question[0].Name, i+1))...)
		}
		m.SetEdns0(1232, false)
		for range explanations {
			m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeStaleAnswer})
		}
		_ = w.WriteMsg(m) // the client may be gone
	}).Addr.String()
	member := clustertest.Serve(t, clustertest.Zone(t, memberZone+"one.default.svc.cluster.local. 5 IN CNAME one.test.\nmany-of-it.default.svc.cluster.local. 5 IN CNAME many.test.\n")).Addr.String()
	s := startCoreDNS(t, ".:PORT {\nbind 127.77.0.1\nclusterset lan {\nfile "+document(t, clusterAt("c1", member, ""))+"\n}\nforward . "+resolver+" {\nforce_tcp\n}\n}")
	for name, want := range map[string]int{"one": 1, "many-of-it": 0} {
		m := send(t, s.addr, "udp", new(dns.Msg).SetQuestion(name+".default.c1.lan.", dns.TypeA).SetEdns0(dns.MinMsgSize, false))
		if n := len(m.IsEdns0().Option); m.Truncated || lastAddress(m) == "" || n != want {
			t.Errorf("%s: %d explanations, %d records, TC %v", name, n, len(m.Answer), m.Truncated)
		}
	}
}

// TestOthersNames: what a member says of names in its domain that are another's here, the
// zone's name server's or a member's that is named below it, isn't taken: neither as an
// owner, in whatever section, nor as the name of an address. What its CNAMEs lead to there
// is looked up.
func TestOthersNames(t *testing.T) {
	c1 := replying(t, func(name string) (answer, ns, extra []dns.RR) { return rrs(name + " 5 IN A 10.102.0.1"), nil, nil })
	for _, domain := range []string{"cluster.local.", "eu.lan."} {
		for _, other := range []string{"ns.dns.", "NS.DNS.", "dns-version.", "svc.", "x.default.svc.c1.", "ns.dns.c1."} {
			t.Run(other+domain, func(t *testing.T) {
				target, web := other+domain, "web.default.svc."+domain
				eu := replying(t, func(name string) (answer, ns, extra []dns.RR) {
					switch label, _, _ := strings.Cut(name, "."); label {
					case "1":
						return rrs(name + " 5 IN PTR " + target), nil, nil
					case "srv":
						return rrs(name + " 5 IN SRV 1 2 3 " + target), nil, rrs(target + " 5 IN A 10.101.0.66")
					case "past":
						return rrs(name+" 5 IN CNAME "+target, target+" 5 IN CNAME "+web, web+" 5 IN A 10.101.0.66"), nil, nil
					}
					return rrs(name+" 5 IN CNAME "+target, target+" 5 IN A 10.101.0.66"), nil, nil
				})
				s := startCoreDNS(t, ".:PORT {\nbind 127.77.0.1\nclusterset lan 10.in-addr.arpa {\nfile "+document(t,
					clusterAt("eu", eu, ", clusterDomain: "+strings.TrimSuffix(domain, "."))+
						`- {name: c1.eu, serviceCIDRs: [10.102.0.0/19], dns: ["`+c1+`"]}`+"\n")+"\n}\n}")
				for name, qtype := range map[string]uint16{
					"www.default.svc.eu.lan.": dns.TypeA, "past.default.svc.eu.lan.": dns.TypeA,
					"srv.default.svc.eu.lan.": dns.TypeSRV, "1.0.101.10.in-addr.arpa.": dns.TypePTR,
				} {
					for range 2 { // forwarded, and from the cache
						m := lookup(t, s.addr, "udp", name, qtype)
						if text := m.String(); strings.Contains(text, "10.101.0.66") || strings.Contains(text, "PTR\t"+other) {
							t.Errorf("%s: %v", name, m)
						}
						if isA := qtype == dns.TypeA; isA && strings.HasPrefix(other, "x.") != (len(m.Answer) == 2) {
							t.Errorf("%s: not looked up: %v", name, m)
						}
					}
				}
			})
		}
	}
}

// TestOthersDNAME: a DNAME above names that aren't the member's isn't given.
func TestOthersDNAME(t *testing.T) {
	for owner, want := range map[string]int{"eu.lan.": 2, "svc.eu.lan.": 2, "default.svc.eu.lan.": 3} {
		eu := replying(t, func(name string) (answer, ns, extra []dns.RR) {
			target := strings.TrimSuffix(name, owner) + "x.default.eu.lan."
			return rrs(owner+" 5 IN DNAME x.default.eu.lan.", name+" 5 IN CNAME "+target, target+" 5 IN A 10.101.0.1"), nil, nil
		})
		s := serveSet(t, clusterAt("eu", eu, ", clusterDomain: eu.lan")+clusterAt("c1.eu", eu, ""), "")
		if m := lookup(t, s.addr, "udp", "web.default.svc.eu.lan.", dns.TypeA); len(m.Answer) != want {
			t.Errorf("%s: %v", owner, m)
		}
	}
}
