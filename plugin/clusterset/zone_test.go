package clusterset

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// ownCases are of names that a member's zone has in whatever state the member is.
var ownCases = []test.Case{
	{Qname: "c1.lan.", Qtype: dns.TypeSOA, Answer: rrs(soaOur)},
	{Qname: "C1.lan.", Qtype: dns.TypeNS, Answer: rrs("C1.lan. 5 IN NS ns.dns.C1.lan."), Extra: rrs("ns.dns.C1.lan. 5 IN A 127.77.0.1")},
	{Qname: "c1.lan.", Qtype: dns.TypeA, Ns: rrs(soaOur)},
	{Qname: "c1.lan.", Qtype: dns.TypeTXT, Ns: rrs(soaOur)},
	{Qname: "c1.lan.", Qtype: dns.TypeDNSKEY, Ns: rrs(soaOur)},
	{Qname: "c1.lan.", Qtype: 65280, Ns: rrs(soaOur)},
	{Qname: "ns.dns.c1.lan.", Qtype: dns.TypeA, Answer: rrs("ns.dns.c1.lan. 5 IN A 127.77.0.1")},
	{Qname: "ns.dns.c1.lan.", Qtype: dns.TypeAAAA, Ns: rrs(soaOur)},
	{Qname: "dns.c1.lan.", Qtype: dns.TypeA, Ns: rrs(soaOur)},
	{Qname: "svc.c1.lan.", Qtype: dns.TypeNS, Ns: rrs(soaOur)},
	{Qname: "pod.c1.lan.", Qtype: dns.TypeNS, Ns: rrs(soaOur)},
	{Qname: "dns-version.c1.lan.", Qtype: dns.TypeTXT, Answer: rrs(`dns-version.c1.lan. 28800 IN TXT "1.1.0"`)},
}

// TestOwnNames: a member's zone is this server's, whether the member lives, in every
// mode, and the member is never asked about it.
func TestOwnNames(t *testing.T) {
	silent, dead := clustertest.Serve(t, clustertest.Silence), clustertest.Serve(t, clustertest.Silence)
	dead.Stop()
	kubeconfig := ", kubeconfig: {file: " + closedKubeconfig(t) + "}"
	tests := []struct{ name, upstream, more, options string }{
		{"silent", silent.Addr.String(), "", ""},
		{"dead", dead.Addr.String(), "", "mode forward"},
		{"broken TLS", "tls://" + silent.Addr.String(), ", tls: {caFile: /nowhere}", ""},
		{"no data", silent.Addr.String(), "", "mode resolve"},
		{"no data, marked", silent.Addr.String(), "", "exports marked"},
		{"its own name", silent.Addr.String(), ", clusterDomain: c1.lan", ""},
		{"its own name, and local", silent.Addr.String(), ", clusterDomain: c1.lan", "local c1"},
		{"local", silent.Addr.String(), "", "local c1"},
		{"no API", silent.Addr.String(), kubeconfig, "mode resolve"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := startCoreDNS(t, ".:PORT {\nbind 127.77.0.1\nclusterset lan {\nfile "+document(t, clusterAt("c1", tt.upstream, tt.more))+"\n"+tt.options+"\n}\n}")
			for _, tc := range ownCases {
				m := lookup(t, s.addr, "udp", tc.Qname, tc.Qtype)
				withoutEDNS(m)
				if err := test.SortAndCheck(m, tc); err != nil || !m.Authoritative {
					t.Errorf("%s %s: %v\n%v", tc.Qname, dns.TypeToString[tc.Qtype], err, m)
				}
			}
		})
	}
	t.Cleanup(func() {
		if n := silent.UDP.Load() + silent.TCP.Load(); n != 0 {
			t.Errorf("the member was asked %d times", n)
		}
	})
}

// TestOwnNamesNext: where a plugin behind this one serves the local cluster's zone as
// it is, the zone's apex is its own.
func TestOwnNamesNext(t *testing.T) {
	s := startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		clusterset lan {
			file `+document(t, clusterAt("c1", "127.0.0.1:1", ", clusterDomain: c1.lan"))+`
			local c1
		}
		file testdata/own.zone c1.lan
	}`)
	m := lookup(t, s.addr, "udp", "c1.lan.", dns.TypeSOA)
	if len(m.Answer) != 1 || m.Answer[0].(*dns.SOA).Serial != 7 {
		t.Errorf("got %v", m)
	}
	if m := lookup(t, s.addr, "udp", "_tcp.web.default.svc.c1.lan.", dns.TypeNS); m.Rcode != dns.RcodeSuccess || len(m.Ns) != 1 {
		t.Errorf("got %v", m)
	}
}

// TestOwnSerial: the zone's serial is the time of the last change of what is known of
// the member, fresh or stale.
func TestOwnSerial(t *testing.T) {
	for _, state := range []member.State{member.Fresh, member.Stale} {
		v := &view{member.View{Data: webData(), State: state, Since: time.Now(), Err: errAPI}}
		p := newResolver(t, model.ModeAuto, v, "127.0.0.1:1")
		for name, qtype := range map[string]uint16{"c1.lan.": dns.TypeSOA, "svc.c1.lan.": dns.TypeA, "dns-version.c1.lan.": dns.TypeA} {
			m := asked(t, p, name, qtype)
			soa := slices.Concat(m.Answer, m.Ns)
			if len(soa) != 1 || soa[0].(*dns.SOA).Serial != 42 {
				t.Errorf("%s, %s: %v", state, name, m)
			}
		}
	}
}

// TestReverseBranches: what stands above members' addresses exists, also with a plugin
// behind that would deny it; the rest is that plugin's.
func TestReverseBranches(t *testing.T) {
	root := filepath.Join(t.TempDir(), "root.zone")
	if err := os.WriteFile(root, []byte(". 5 IN SOA next. next. 1 2 3 4 5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startCoreDNS(t, `.:PORT {
		bind 127.77.0.1
		clusterset lan 10.in-addr.arpa in-addr.arpa ip6.arpa {
			file `+document(t, clusterAt("c1", "127.0.0.1:1", ""))+`
			local c1
		}
		file `+root+` .
	}`)
	tests := []struct{ name, soa string }{
		{"in-addr.arpa.", "in-addr.arpa."},
		{"10.in-addr.arpa.", "10.in-addr.arpa."},
		{"101.10.in-addr.arpa.", "10.in-addr.arpa."},
		{"31.101.10.in-addr.arpa.", "10.in-addr.arpa."},
		{"dns.10.in-addr.arpa.", "10.in-addr.arpa."},
		{"NS.dns.10.in-addr.arpa.", "10.in-addr.arpa."},
		{"d.f.ip6.arpa.", "ip6.arpa."},
		{"1.0.1.0.0.0.d.f.ip6.arpa.", "ip6.arpa."},
		{"32.101.10.in-addr.arpa.", "."},
		{"192.in-addr.arpa.", "."},
		{"ns.dns.10.10.in-addr.arpa.", "."},
		{"x.10.in-addr.arpa.", "."},
		{"e.f.ip6.arpa.", "."},
		{"1.0.101.10.in-addr.arpa.", "."}, // local
	}
	for _, tt := range tests {
		m := lookup(t, s.addr, "udp", tt.name, dns.TypeNS)
		got := ""
		for _, rr := range slices.Concat(m.Answer, m.Ns) {
			got = rr.Header().Name
		}
		if got != tt.soa || (m.Rcode == dns.RcodeNameError) != (tt.soa == ".") {
			t.Errorf("%s: %v", tt.name, m)
		}
	}
}

// TestReverseTypes: an address that has a name exists for all types, whatever the member
// says of them.
func TestReverseTypes(t *testing.T) {
	reverse := clustertest.Zone(t, "1.0.101.10.in-addr.arpa. 5 IN PTR web.default.svc.cluster.local.")
	member := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) { // as kubernetes
		if r.Question[0].Qtype == dns.TypePTR {
			reverse(w, r)
			return
		}
		clustertest.Rcode(dns.RcodeNameError)(w, r)
	})
	s := serveSet(t, clusterAt("c1", member.Addr.String(), ""), "")
	for _, qtype := range []uint16{dns.TypeA, dns.TypeNS, dns.TypeTXT, dns.TypeSOA, dns.TypeANY, dns.TypePTR, dns.TypeA} {
		m := lookup(t, s.addr, "udp", "1.0.101.10.in-addr.arpa.", qtype)
		if m.Rcode != dns.RcodeSuccess || (len(m.Answer) == 1) != (qtype == dns.TypePTR) || len(m.Answer)+len(m.Ns) != 1 {
			t.Errorf("%s: %v", dns.TypeToString[qtype], m)
		}
		if m := lookup(t, s.addr, "udp", "2.0.101.10.in-addr.arpa.", qtype); m.Rcode != dns.RcodeNameError {
			t.Errorf("%s of no address: %v", dns.TypeToString[qtype], m)
		}
	}
}

// TestOwnAddresses: the addresses that another machine may reach come first, and
// loopback ones where there are no others.
func TestOwnAddresses(t *testing.T) {
	tests := []struct{ hosts, want string }{
		{"127.77.0.1", "127.77.0.1"},
		{"127.77.0.1 ::1 127.77.0.1", "127.77.0.1 ::1"},
		{"127.0.0.1 10.0.0.1 fd00::1 10.0.0.1", "10.0.0.1 fd00::1"},
		{"169.254.20.10 fe80::1%eth0 ::ffff:192.0.2.1", "192.0.2.1"},
		{"fe80::1%eth0 ::1", "::1"},
		{"169.254.20.10", ""},
	}
	for _, tt := range tests {
		o := addresses{hosts: strings.Fields(tt.hosts)}
		var got []string
		for _, addr := range o.current() {
			got = append(got, addr.String())
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: got %s, want %s", tt.hosts, got, tt.want)
		}
	}
}

// TestOwnAddressesUnbound: without bind, or bound to all, they are this machine's,
// whichever way the question came.
func TestOwnAddressesUnbound(t *testing.T) {
	for _, bind := range []string{"", "bind ::"} {
		s := startCoreDNS(t, ".:PORT {\n"+bind+"\nclusterset lan 10.in-addr.arpa {\nfile "+document(t, clusterAt("c1", "127.0.0.1:1", ""))+"\n}\n}")
		for _, zone := range []string{"lan.", "c1.lan.", "10.in-addr.arpa."} {
			var first string
			for _, network := range []string{"udp", "tcp"} {
				m := lookup(t, s.addr, network, zone, dns.TypeNS)
				withoutEDNS(m)
				addresses := ""
				for _, rr := range m.Extra {
					addr, _ := address(rr)
					addresses += " " + addr.String()
					if rr.Header().Name != "ns.dns."+zone || addr.IsUnspecified() {
						t.Errorf("%s over %s: %s", zone, network, rr)
					}
				}
				if addresses == "" || first != "" && addresses != first {
					t.Errorf("%s over %s:%s, before%s", zone, network, addresses, first)
				}
				first = addresses
			}
		}
	}
	four := addresses{hosts: []string{"0.0.0.0"}}
	if found := four.current(); len(found) == 0 || slices.ContainsFunc(found, netip.Addr.Is6) {
		t.Errorf("of 0.0.0.0: %s", found)
	}
}
