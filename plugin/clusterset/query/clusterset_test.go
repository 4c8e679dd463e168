package query

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// TestParseClusterset: the names of KEP-1645, and those that must not exist.
func TestParseClusterset(t *testing.T) {
	const zone = "clusterset.local."
	for name, want := range map[string]struct {
		kind         Kind
		key, cluster string
	}{
		"":                                {ZoneApex, "", ""},
		"svc.":                            {ClusterBranch, "", ""},
		"SVC.":                            {ClusterBranch, "", ""},
		"pod.":                            {None, "", ""},
		"dns.":                            {ZoneBranch, "", ""},
		"ns.dns.":                         {ZoneNameServer, "", ""},
		"dns-version.":                    {Version, "", ""},
		"web.":                            {None, "", ""},
		"web.shop.":                       {None, "", ""},
		"shop.svc.":                       {Branch, "", ""},
		"web.shop.svc.":                   {Service, "web.shop", ""},
		"Web.Shop.svc.":                   {Service, "web.shop", ""},
		"east.web.shop.svc.":              {None, "", ""},
		"_tcp.web.shop.svc.":              {Protocol, "web.shop", ""},
		"_http._tcp.web.shop.svc.":        {Port, "web.shop", ""},
		"web-0.east.web.shop.svc.":        {Endpoint, "web.shop", "east"},
		"web-0.c1.eu.web.shop.svc.":       {Endpoint, "web.shop", "c1.eu"},
		"_http._tcp.east.web.shop.svc.":   {None, "", ""},
		"a.web-0.c1.eu.web.shop.svc.":     {None, "", ""},
		"a.b.c.d.e.f.g.h.web-0.shop.svc.": {None, "", ""},
		`a\.b.shop.svc.`:                  {Service, `a\.b.shop`, ""},
		`web\..east.web.shop.svc.`:        {Endpoint, "web.shop", "east"},
		"web.shop.pod.":                   {None, "", ""},
		"10-0-0-1.shop.pod.":              {None, "", ""},
		"dns-version.svc.":                {Branch, "", ""},
		"x.dns-version.":                  {None, "", ""},
		"x.ns.dns.":                       {None, "", ""},
		"x.dns.":                          {None, "", ""},
	} {
		n := ParseClusterset(name+zone, len(zone))
		if n.Kind != want.kind || n.SetKey() != want.key || n.Cluster != want.cluster || n.Suffix != zone || n.Prefix != name {
			t.Errorf("%q: %+v, key %q; want %+v", name, n, n.SetKey(), want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { n := ParseClusterset("web.shop.svc.clusterset.local.", len(zone)); n.SetKey() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestSetRecords: the records of several members' parts.
func TestSetRecords(t *testing.T) {
	const zone = "clusterset.local."
	ports := []model.Port{{Name: "http", Protocol: "TCP", Number: 80}, {Name: "dns", Protocol: "UDP", Number: 80}}
	vip := func(texts ...string) *model.Service {
		return &model.Service{Key: "web.shop", Type: model.ClusterIP, Ports: ports, ClusterIPs: addrs(texts...)}
	}
	headless := func(hosts ...model.Endpoint) *model.Service {
		return &model.Service{Key: "web.shop", Type: model.Headless, Ports: ports, Slices: []*model.Slice{{Ports: ports[:1], Endpoints: hosts}}}
	}
	east := Part{Cluster: "east", Service: vip("10.1.0.1", "fd00::1")}
	west := Part{Cluster: "c1.west", Service: vip("10.2.0.1")}
	gateway := Part{Cluster: "far", Service: vip("10.1.0.1"), Instead: addrs("203.0.113.1")}
	db := Part{Cluster: "east", Service: headless(model.Endpoint{Addr: addrs("10.9.0.1")[0], Hostname: "db-0"}, model.Endpoint{Addr: addrs("10.9.0.2")[0]})}
	imported := Part{Service: &model.Service{Key: "web.shop", Type: model.Headless, Slices: []*model.Slice{
		{Cluster: "east", Ports: ports[:1], Endpoints: db.Service.Slices[0].Endpoints},
		{Cluster: "c1.west", Ports: ports[:1], Endpoints: []model.Endpoint{{Addr: addrs("10.9.0.9")[0], Hostname: "db-0"}}},
	}}}
	nameless := Part{Service: &model.Service{Key: "web.shop", Type: model.Headless, Slices: []*model.Slice{ // of no cluster
		{Ports: ports[:1], Endpoints: []model.Endpoint{{Addr: addrs("10.9.0.9")[0]}}},
	}}}
	farDB := Part{Cluster: "far", Service: db.Service, Instead: addrs("203.0.113.1")}
	for _, test := range []struct {
		name   string
		qtype  uint16
		parts  []*Part
		exists bool
		want   []string
		extra  int
	}{
		{"web.shop.svc.", dns.TypeA, []*Part{&east, &west, &east}, true, []string{"10.1.0.1", "10.2.0.1"}, 0},
		{"web.shop.svc.", dns.TypeAAAA, []*Part{&east, &west}, true, []string{"fd00::1"}, 0},
		{"web.shop.svc.", dns.TypeAAAA, []*Part{&west}, true, nil, 0},
		{"web.shop.svc.", dns.TypeTXT, []*Part{&west}, true, nil, 0},
		{"web.shop.svc.", dns.TypeA, []*Part{&gateway}, true, []string{"203.0.113.1"}, 0},
		{"web.shop.svc.", dns.TypeSRV, []*Part{&east, &west}, true, []string{"0 16 80 web.shop.svc." + zone}, 3},
		{"_http._tcp.web.shop.svc.", dns.TypeSRV, []*Part{&east, &west}, true, []string{"0 33 80 web.shop.svc." + zone}, 3},
		{"_http._udp.web.shop.svc.", dns.TypeSRV, []*Part{&east, &west}, false, nil, 0},
		{"_http._tcp.web.shop.svc.", dns.TypeA, []*Part{&east, &west}, true, []string{"10.1.0.1", "10.2.0.1"}, 0}, // as kubernetes has it
		{"_http._tcp.web.shop.svc.", dns.TypeAAAA, []*Part{&west}, true, nil, 0},
		{"_http._tcp.web.shop.svc.", dns.TypeA, []*Part{&gateway}, true, []string{"203.0.113.1"}, 0},
		{"_http._tcp.web.shop.svc.", dns.TypeA, []*Part{&db}, true, []string{"10.9.0.1", "10.9.0.2"}, 0},
		{"_dns._udp.web.shop.svc.", dns.TypeA, []*Part{&db}, false, nil, 0},
		{"_http._udp.web.shop.svc.", dns.TypeA, []*Part{&east}, false, nil, 0},
		{"_tcp.web.shop.svc.", dns.TypeA, []*Part{&east}, true, nil, 0},
		{"web-0.east.web.shop.svc.", dns.TypeA, []*Part{&east}, false, nil, 0},
		{"web.shop.svc.", dns.TypeA, []*Part{&db}, true, []string{"10.9.0.1", "10.9.0.2"}, 0},
		{"web.shop.svc.", dns.TypeSRV, []*Part{&db}, true, []string{"0 50 80 db-0.east.web.shop.svc." + zone, "0 50 80 10-9-0-2.east.web.shop.svc." + zone}, 2},
		{"db-0.east.web.shop.svc.", dns.TypeA, []*Part{&db}, true, []string{"10.9.0.1"}, 0},
		{"DB-0.East.web.shop.svc.", dns.TypeA, []*Part{&db}, true, []string{"10.9.0.1"}, 0},
		{"10-9-0-2.east.web.shop.svc.", dns.TypeA, []*Part{&db}, true, []string{"10.9.0.2"}, 0},
		{"db-0.east.web.shop.svc.", dns.TypeAAAA, []*Part{&db}, true, nil, 0},
		{"db-0.east.web.shop.svc.", dns.TypeSRV, []*Part{&imported}, true, []string{"0 100 80 db-0.east.web.shop.svc." + zone}, 1},
		{"db-0.c1.west.web.shop.svc.", dns.TypeSRV, []*Part{&imported}, true, []string{"0 100 80 db-0.c1.west.web.shop.svc." + zone}, 1},
		{"db-0.c1.west.web.shop.svc.", dns.TypeA, []*Part{&imported}, true, []string{"10.9.0.9"}, 0},
		{"db-0.c1.west.web.shop.svc.", dns.TypeTXT, []*Part{&imported}, true, nil, 0},
		{"web.shop.svc.", dns.TypeA, []*Part{&nameless}, true, []string{"10.9.0.9"}, 0},
		{"web.shop.svc.", dns.TypeSRV, []*Part{&nameless}, true, nil, 0},
		{"db-1.east.web.shop.svc.", dns.TypeA, []*Part{&db}, false, nil, 0},
		{"db-0.west.web.shop.svc.", dns.TypeA, []*Part{&db}, false, nil, 0},
		{"db-0.far.web.shop.svc.", dns.TypeA, []*Part{&farDB}, true, []string{"203.0.113.1"}, 0},
	} {
		n := ParseClusterset(test.name+zone, len(zone))
		r := n.SetRecords(test.parts, &Form{Owner: test.name + zone, Type: test.qtype, TTL: 5})
		var got []string
		for _, rr := range r.Answer {
			if rr.Header().Name != test.name+zone || rr.Header().Rrtype != test.qtype {
				t.Errorf("%s: %v", test.name, rr)
			}
			got = append(got, rr.String()[len(rr.Header().String()):])
		}
		if r.Exists != test.exists || !slices.Equal(got, test.want) || len(r.Extra) != test.extra {
			t.Errorf("%s %s: %v, %q, %d extra; want %v, %q, %d", test.name, dns.TypeToString[test.qtype], r.Exists, got, len(r.Extra), test.exists, test.want, test.extra)
		}
	}
}

// TestSetEndpointWithoutPorts: an endpoint of a headless Service without ports has its address,
// and no SRV record.
func TestSetEndpointWithoutPorts(t *testing.T) {
	const zone, name = "clusterset.local.", "10-1-0-7.east.web.shop.svc.clusterset.local."
	noPorts := []model.Port{{Number: model.NoPort}}
	s := &model.Service{Key: "web.shop", Type: model.Headless, Ports: noPorts, Slices: []*model.Slice{
		{Ports: noPorts, Endpoints: []model.Endpoint{{Addr: netip.MustParseAddr("10.1.0.7")}}},
	}}
	n := ParseClusterset(name, len(zone))
	for qtype, want := range map[uint16]int{dns.TypeA: 1, dns.TypeSRV: 0} {
		r := n.SetRecords([]*Part{{Cluster: "east", Service: s}}, &Form{Owner: name, Type: qtype})
		if !r.Exists || len(r.Answer) != want {
			t.Errorf("%s: %+v", dns.TypeToString[qtype], r)
		}
	}
}
