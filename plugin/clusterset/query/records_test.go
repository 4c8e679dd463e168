package query

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

func addrs(texts ...string) []netip.Addr {
	var all []netip.Addr
	for _, text := range texts {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}

func endpoints(texts ...string) []model.Endpoint {
	var all []model.Endpoint
	for _, text := range texts {
		hostname, addr, named := strings.Cut(text, "=")
		if !named {
			hostname, addr = "", text
		}
		all = append(all, model.Endpoint{Addr: netip.MustParseAddr(addr), Hostname: hostname})
	}
	return all
}

// data is a member's, with a Service of each kind.
func data() *model.Data {
	http, dnsUDP := model.Port{Name: "http", Protocol: "TCP", Number: 80}, model.Port{Name: "dns", Protocol: "UDP", Number: 53}
	unnamed, none := model.Port{Protocol: "TCP", Number: 9}, model.Port{Number: model.NoPort}
	c := model.NewData().Change()
	for _, s := range []model.Service{
		{Key: "web.default", Type: model.ClusterIP, ClusterIPs: addrs("10.101.0.1", "fd00::1"), Ports: []model.Port{http, dnsUDP}},
		{Key: "plain.default", Type: model.ClusterIP, ClusterIPs: addrs("10.101.0.2"), Ports: []model.Port{unnamed}},
		{Key: "portless.default", Type: model.ClusterIP, ClusterIPs: addrs("10.101.0.3"), Ports: []model.Port{none}},
		{Key: "db.default", Type: model.Headless, Ports: []model.Port{http}},
		{Key: "empty.default", Type: model.Headless, Ports: []model.Port{http}},
		{Key: "out.default", Type: model.External, ExternalName: "www.example.com"},
		{Key: "in.default", Type: model.External, ExternalName: "web.default.svc.cluster.local"},
		{Key: "self.default", Type: model.External, ExternalName: "self.default.svc.cluster.local."},
		{Key: "number.default", Type: model.External, ExternalName: "192.0.2.1"},
		{Key: "lost.nowhere", Type: model.ClusterIP, ClusterIPs: addrs("10.101.0.9"), Ports: []model.Port{http}},
	} {
		c.SetService(s)
	}
	for _, s := range []*model.Slice{
		{Key: "default/db-1", Service: "db.default", Ports: []model.Port{http}, Endpoints: endpoints("db-0=10.51.0.1", "10.51.0.2")},
		{Key: "default/db-2", Service: "db.default", Ports: []model.Port{http, dnsUDP}, Endpoints: endpoints("10.51.0.2", "10.51.0.3")},
		{Key: "default/db-6", Service: "db.default", Ports: []model.Port{http}, Endpoints: endpoints("fd00:51::", "fd00:51::7")},
		{Key: "default/web-1", Service: "web.default", Ports: []model.Port{http}, Endpoints: endpoints("web-0=10.51.0.9")},
		{Key: "default/orphan", Service: "orphan.default", Ports: []model.Port{http}, Endpoints: endpoints("10.51.0.8")},
	} {
		c.SetSlice(s)
	}
	c.SetNamespace("default")
	c.SetNamespace("quiet")
	return c.Done(time.Unix(1, 0))
}

func TestRecords(t *testing.T) {
	d := data()
	const nameError, noData = "NXDOMAIN", ""
	tests := []struct{ name, qtype, want string }{
		{"web.default.svc", "A", "A 10.101.0.1"},
		{"WEB.Default.svc", "A", "A 10.101.0.1"},
		{"web.default", "A", "A 10.101.0.1"},
		{"web.default.svc", "AAAA", "AAAA fd00::1"},
		{"plain.default.svc", "AAAA", noData},
		{"web.default.svc", "TXT", noData},
		{"web.default.svc", "MX", noData},
		{"web.default.svc", "CNAME", noData},
		{"missing.default.svc", "A", nameError},
		{"missing.default.svc", "TXT", nameError},
		{"web.quiet.svc", "A", nameError},
		{"lost.nowhere.svc", "A", nameError},
		{"orphan.default.svc", "A", nameError},
		{"svc", "A", noData},
		{"pod", "A", noData},
		{"default.svc", "A", noData},
		{"DEFAULT.svc", "A", noData},
		{"default", "A", noData},
		{"quiet.svc", "A", noData},
		{"other.svc", "A", nameError},
		{"dns", "A", noData},
		{"default.pod", "A", nameError},
		{"10-51-0-1.default.pod", "A", nameError},
		{"db.default.svc", "A", "A 10.51.0.1, A 10.51.0.2, A 10.51.0.3"},
		{"db.default.svc", "AAAA", "AAAA fd00:51::, AAAA fd00:51::7"},
		{"empty.default.svc", "A", nameError},
		{"empty.default.svc", "SRV", nameError},
		{"db-0.db.default.svc", "A", "A 10.51.0.1"},
		{"DB-0.db.default", "A", "A 10.51.0.1"},
		{"db-0.db.default.svc", "AAAA", noData},
		{"10-51-0-1.db.default.svc", "A", nameError},
		{"10-51-0-3.db.default.svc", "A", "A 10.51.0.3"},
		{"fd00-51--0.db.default.svc", "AAAA", "AAAA fd00:51::"},
		{"fd00-51--7.db.default.svc", "AAAA", "AAAA fd00:51::7"},
		{"web-0.web.default.svc", "A", "A 10.51.0.9"},
		{"web-1.web.default.svc", "A", nameError},
		{"_http._tcp.web.default.svc", "SRV", "SRV 0 50 80 web.default.svc.C1.lan. + A 10.101.0.1, AAAA fd00::1"},
		{"_http._tcp.web.default", "SRV", "SRV 0 50 80 web.default.svc.C1.lan. + A 10.101.0.1, AAAA fd00::1"},
		{"_HTTP._TCP.web.default.svc", "A", "A 10.101.0.1"},
		{"http.tcp.web.default.svc", "A", "A 10.101.0.1"},
		{"_tcp.web.default.svc", "A", noData},
		{"_TCP.web.default", "NS", noData},
		{"_sctp.web.default.svc", "SRV", noData},
		{"_tcp.out.default", "A", noData},
		{"_tcp.db.default", "NS", noData},
		{"_tcp.empty.default", "NS", nameError},
		{"_tcp.missing.default.svc", "A", nameError},
		{"_tcp.web.nowhere", "A", nameError},
		{"_x.web.default.svc", "A", nameError},
		{"_http._udp.web.default.svc", "SRV", nameError},
		{"_http._udp.web.default.svc", "A", nameError},
		{"_other._tcp.web.default.svc", "SRV", nameError},
		{"web.default.svc", "SRV", "SRV 0 25 53 web.default.svc.C1.lan., SRV 0 25 80 web.default.svc.C1.lan. + A 10.101.0.1, AAAA fd00::1"},
		{"plain.default.svc", "SRV", "SRV 0 100 9 plain.default.svc.C1.lan. + A 10.101.0.2"},
		{"portless.default.svc", "SRV", noData},
		{"portless.default.svc", "A", "A 10.101.0.3"},
		{"_http._tcp.portless.default.svc", "SRV", nameError},
		{"_dns._udp.db.default.svc", "SRV", "SRV 0 50 53 10-51-0-2.db.default.svc.C1.lan., SRV 0 50 53 10-51-0-3.db.default.svc.C1.lan. + A 10.51.0.2, A 10.51.0.3"},
		{"db-0.db.default.svc", "SRV", "SRV 0 100 80 db-0.db.default.svc.C1.lan. + A 10.51.0.1"},
		{"out.default.svc", "A", "CNAME www.example.com."},
		{"out.default.svc", "CNAME", "CNAME www.example.com."},
		{"out.default.svc", "SRV", noData},
		{"out.default.svc", "TXT", noData},
		{"_http._tcp.out.default.svc", "SRV", nameError},
		{"x.out.default.svc", "A", nameError},
		{"in.default.svc", "AAAA", "CNAME web.default.svc.c1.lan."},
		{"self.default.svc", "A", noData},
		{"self.default.svc", "CNAME", "CNAME self.default.svc.c1.lan."},
		{"number.default.svc", "A", nameError},
		{`web\.default.svc`, "A", nameError},
		{`a\.b.web.default.svc`, "A", nameError},
		{"a.b.c.web.default.svc", "A", nameError},
	}
	for _, tt := range tests {
		t.Run(tt.name+" "+tt.qtype, func(t *testing.T) {
			qname := tt.name + ".C1.lan."
			n := Parse(qname, len("lan."), members)
			r := n.Records(d, &Form{Owner: qname, Type: dns.StringToType[tt.qtype], Domain: "cluster.local.", TTL: 5})
			got := nameError
			if r.Exists {
				got = section(t, r.Answer, qname)
				if len(r.Extra) > 0 {
					got += " + " + section(t, r.Extra, "")
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// section is the records' types and data, sorted; their owner must be the one
// given, if any.
func section(t *testing.T, rrs []dns.RR, owner string) string {
	t.Helper()
	var texts []string
	for _, rr := range rrs {
		if h := rr.Header(); (owner != "" && h.Name != owner) || h.Ttl != 5 || h.Class != dns.ClassINET {
			t.Errorf("record %s", rr)
		}
		texts = append(texts, strings.Join(strings.Fields(rr.String())[3:], " "))
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}

func TestPointers(t *testing.T) {
	d := data()
	for addr, want := range map[string]string{
		"10.101.0.1": "PTR web.default.svc.c1.lan.",
		"fd00::1":    "PTR web.default.svc.c1.lan.",
		"10.51.0.1":  "PTR db-0.db.default.svc.c1.lan.",
		"10.51.0.2":  "PTR 10-51-0-2.db.default.svc.c1.lan.", // in two slices
		"10.51.0.77": "",
	} {
		owner, err := dns.ReverseAddr(addr)
		if err != nil {
			t.Fatal(err)
		}
		r := Pointers(d, netip.MustParseAddr(addr), &Form{Owner: owner, Type: dns.TypePTR, Domain: "c1.lan.", TTL: 5})
		if got := section(t, r.Answer, owner); got != want || r.Exists != (want != "") {
			t.Errorf("%s gave %q, %v; want %q", addr, got, r.Exists, want)
		}
	}
}

// TestNotReady: endpoints that aren't ready are in no answer, and zones change none.
func TestNotReady(t *testing.T) {
	with, without := data(), data()
	c := with.Change()
	for key := range with.Slices() {
		s := *with.Slice(key)
		s.NotReady = &[]model.Endpoint{{Addr: netip.MustParseAddr("10.51.0.66"), Hostname: "late"}, {Addr: netip.MustParseAddr("10.51.0.67")}}
		s.Endpoints = slices.Clone(s.Endpoints)
		for i := range s.Endpoints {
			s.Endpoints[i].Detail = &model.EndpointDetail{Zone: "z", ForZones: []string{"z"}, NotServing: true, Terminating: true}
		}
		c.SetSlice(&s)
	}
	c.SetSlice(&model.Slice{Key: "default/empty-1", Service: "empty.default", NotReady: &[]model.Endpoint{{Addr: netip.MustParseAddr("10.51.0.68")}}})
	with = c.Done(with.Changed)
	for _, name := range []string{
		"db.default", "late.db.default", "10-51-0-67.db.default", "db-0.db.default", "_http._tcp.db.default", "empty.default", "late.web.default", "_tcp.empty.default",
	} {
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeSRV, dns.TypeTXT} {
			f := &Form{Owner: name + ".c1.lan.", Type: qtype, Domain: "cluster.local.", TTL: 5}
			n := Parse(f.Owner, len("lan."), members)
			got, want := n.Records(with, f), n.Records(without, f)
			if g, w := fmt.Sprint(got.Exists, section(t, got.Answer, ""), section(t, got.Extra, "")), fmt.Sprint(want.Exists, section(t, want.Answer, ""), section(t, want.Extra, "")); g != w {
				t.Errorf("%s %s: %s, want %s", name, dns.TypeToString[qtype], g, w)
			}
		}
	}
	f := &Form{Type: dns.TypePTR, Domain: "c1.lan."}
	if r := Pointers(with, netip.MustParseAddr("10.51.0.66"), f); r.Exists || len(r.Answer) > 0 {
		t.Errorf("%v", r)
	}
}

// TestRecordsLong: a name that is too long under the member's zone is left out of data.
func TestRecordsLong(t *testing.T) {
	d := data()
	zone := strings.Repeat("a2345678.", 26) + "a." // what is asked for just fits
	suffix := "c1." + zone
	for name, qtype := range map[string]uint16{"db.default.svc.": dns.TypeSRV, "in.default.svc.": dns.TypeA} {
		f := &Form{Owner: name + suffix, Type: qtype, Domain: "cluster.local.", TTL: 5}
		n := Parse(f.Owner, len(zone), members)
		if r := n.Records(d, f); !isName(f.Owner) || !r.Exists || len(r.Answer)+len(r.Extra) > 0 {
			t.Errorf("%s: %v", name, r)
		}
	}
	owner, _ := dns.ReverseAddr("10.51.0.1")
	if r := Pointers(d, netip.MustParseAddr("10.51.0.1"), &Form{Owner: owner, Type: dns.TypePTR, Domain: suffix}); len(r.Answer) > 0 || !r.Exists {
		t.Errorf("%v", r)
	}
}

// TestRecordsAllocs: a record, its address and the list of it are one piece of
// memory.
func TestRecordsAllocs(t *testing.T) {
	d := data()
	f := &Form{Owner: "web.default.c1.lan.", Type: dns.TypeA, TTL: 5}
	n := Parse(f.Owner, len("lan."), members)
	if allocs := testing.AllocsPerRun(100, func() { n.Records(d, f) }); allocs > 1 {
		t.Errorf("%v allocations, want 1", allocs)
	}
}
