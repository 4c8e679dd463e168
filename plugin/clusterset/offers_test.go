package clusterset

import (
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// namespacesData have the same Service in two namespaces, and an address in both.
func namespacesData() *model.Data {
	c := model.NewData().Change()
	ports := []model.Port{{Name: "http", Protocol: "TCP", Number: 80}}
	for i, namespace := range []string{"shop-kr", "private"} {
		c.SetNamespace(namespace)
		c.SetService(model.Service{Key: "web." + namespace, Type: model.ClusterIP, ClusterIPs: addrs([]string{"10.101.1.1", "10.101.1.2"}[i]), Ports: ports})
		c.SetService(model.Service{Key: "db." + namespace, Type: model.Headless, Ports: ports})
		c.SetSlice(&model.Slice{Key: namespace + "/db", Service: "db." + namespace, Ports: ports, Endpoints: []model.Endpoint{{Addr: addrs("10.101.9.1")[0]}}})
	}
	c.SetService(model.Service{Key: "alias.shop-kr", Type: model.External, ExternalName: "web.private.svc.cluster.local"})
	return c.Done(time.Unix(42, 0))
}

// namespacesZone is what the member's DNS says of them.
const namespacesZone = `cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 2 3 4 5
web.shop-kr.svc.cluster.local. 5 IN A 10.101.1.1
web.private.svc.cluster.local. 5 IN A 10.101.1.2
_http._tcp.web.shop-kr.svc.cluster.local. 5 IN SRV 0 100 80 web.shop-kr.svc.cluster.local.
_http._tcp.web.private.svc.cluster.local. 5 IN SRV 0 100 80 web.private.svc.cluster.local.
alias.shop-kr.svc.cluster.local. 5 IN CNAME web.private.svc.cluster.local.
10-101-1-9.shop-kr.pod.cluster.local. 5 IN A 10.101.1.9
10-101-1-9.private.pod.cluster.local. 5 IN A 10.101.1.9
1.1.101.10.in-addr.arpa. 5 IN PTR web.shop-kr.svc.cluster.local.
2.1.101.10.in-addr.arpa. 5 IN PTR web.private.svc.cluster.local.
1.9.101.10.in-addr.arpa. 5 IN PTR 10-101-9-1.db.shop-kr.svc.cluster.local.
1.9.101.10.in-addr.arpa. 5 IN PTR 10-101-9-1.db.private.svc.cluster.local.
3.1.101.10.in-addr.arpa. 5 IN PTR web.private.svc.cluster.local.
3.1.101.10.in-addr.arpa. 5 IN PTR web.private.evil.test.
`

func offering(namespaces ...string) func(*model.Cluster) {
	return func(c *model.Cluster) { c.Namespaces = namespaces }
}

// TestNamespaces: of a namespace that its member doesn't offer, nothing exists from other
// clusters, whoever would answer.
func TestNamespaces(t *testing.T) {
	alive := clustertest.Serve(t, clustertest.Zone(t, namespacesZone)).Addr.String()
	d := namespacesData()
	views := map[string]*view{
		"fresh": {member.View{Data: d, State: member.Fresh}},
		"stale": {member.View{Data: d, State: member.Stale, Since: time.Now(), Err: errAPI}}, // its DNS is asked
		"none":  nil,
	}
	for _, tt := range []struct {
		qname string
		qtype uint16
		want  string
	}{
		{"web.shop-kr.c1.lan.", dns.TypeA, "NOERROR 10.101.1.1"},
		{"WEB.Shop-KR.svc.c1.lan.", dns.TypeA, "NOERROR 10.101.1.1"},
		{"web.private.c1.lan.", dns.TypeA, "NXDOMAIN"},
		{"web.PRIVATE.svc.c1.lan.", dns.TypeA, "NXDOMAIN"},
		{"nope.private.c1.lan.", dns.TypeA, "NXDOMAIN"},
		{"private.c1.lan.", dns.TypeA, "NXDOMAIN"},
		{"private.svc.c1.lan.", dns.TypeA, "NXDOMAIN"},
		{"_tcp.web.private.c1.lan.", dns.TypeA, "NXDOMAIN"},
		{"_tcp.web.shop-kr.c1.lan.", dns.TypeA, "NOERROR"},
		{"_http._tcp.web.private.c1.lan.", dns.TypeSRV, "NXDOMAIN"},
		{"web.private.c1.lan.", dns.TypeTXT, "NXDOMAIN"},
		{`web.private\.shop-kr.c1.lan.`, dns.TypeA, "NXDOMAIN"},
		{"svc.c1.lan.", dns.TypeA, "NOERROR"},
		{"c1.lan.", dns.TypeA, "NOERROR"},
		{"10-101-1-9.shop-kr.pod.c1.lan.", dns.TypeA, "NOERROR 10.101.1.9"},
		{"10-101-1-9.private.pod.c1.lan.", dns.TypeA, "NXDOMAIN"},
		{"1.1.101.10.in-addr.arpa.", dns.TypePTR, "NOERROR web.shop-kr.svc.c1.lan."},
		{"2.1.101.10.in-addr.arpa.", dns.TypePTR, "NXDOMAIN"},
		{"1.1.101.10.in-addr.arpa.", dns.TypeA, "NOERROR"},
		{"2.1.101.10.in-addr.arpa.", dns.TypeA, "NXDOMAIN"},
		{"1.9.101.10.in-addr.arpa.", dns.TypePTR, "NOERROR 10-101-9-1.db.shop-kr.svc.c1.lan."},
		{"9.9.101.10.in-addr.arpa.", dns.TypePTR, "NXDOMAIN"},
	} {
		for state, v := range views {
			p := resolverBeside(t, v, alive, offering("payments", "shop-*"))
			m := asked(t, p, tt.qname, tt.qtype)
			if got := said(m); got != tt.want {
				t.Errorf("%s %s, data %s: got %s, want %s", tt.qname, dns.TypeToString[tt.qtype], state, got, tt.want)
			}
			if m.Rcode == dns.RcodeNameError && len(m.Ns) != 1 {
				t.Errorf("%s, data %s: no SOA: %v", tt.qname, state, m)
			}
		}
	}
	p := resolverBeside(t, nil, alive, offering("shop-*"))
	if got := said(asked(t, p, "3.1.101.10.in-addr.arpa.", dns.TypePTR)); got != "SERVFAIL Filtered" {
		t.Errorf("a name outside the member's domain beside one that isn't offered: %s", got)
	}
}

// TestNamespacesStale: nor is that said of an address whose names are stale.
func TestNamespacesStale(t *testing.T) {
	stale := &view{member.View{Data: namespacesData(), State: member.Stale, Since: time.Now(), Err: errAPI}}
	dead := clustertest.Serve(t, clustertest.Rcode(dns.RcodeServerFailure)).Addr.String()
	for _, tt := range []struct {
		name  string
		qtype uint16
		want  string
	}{
		{"1.1.101.10.in-addr.arpa.", dns.TypePTR, "NOERROR web.shop-kr.svc.c1.lan."},
		{"1.1.101.10.in-addr.arpa.", dns.TypeA, "NOERROR"},
		{"2.1.101.10.in-addr.arpa.", dns.TypePTR, "SERVFAIL"},
		{"2.1.101.10.in-addr.arpa.", dns.TypeA, "SERVFAIL"},
		{"1.9.101.10.in-addr.arpa.", dns.TypePTR, "NOERROR 10-101-9-1.db.shop-kr.svc.c1.lan."},
	} {
		p := resolverBeside(t, stale, dead, offering("shop-*"))
		if got := said(asked(t, p, tt.name, tt.qtype)); got != tt.want {
			t.Errorf("%s %s: got %s, want %s", tt.name, dns.TypeToString[tt.qtype], got, tt.want)
		}
	}
}

// TestNamespacesAlias: an ExternalName leads to nothing in a namespace that isn't offered, also
// where the member's DNS follows it; cached answers are filtered as well.
func TestNamespacesAlias(t *testing.T) {
	member := clustertest.Serve(t, clustertest.Zone(t, namespacesZone)).Addr.String()
	s := serveSet(t, clusterAt("c1", member, `, namespaces: ["shop-*"]`), "")
	following := replying(t, func(name string) (answer, ns, extra []dns.RR) {
		return rrs(name+" 5 IN CNAME web.private.svc.cluster.local.", "web.private.svc.cluster.local. 5 IN A 10.101.1.2"), nil, nil
	})
	follows := serveSet(t, clusterAt("c1", following, `, namespaces: ["shop-*"]`), "")
	for _, server := range []*coreDNS{s, follows} {
		m := lookup(t, server.addr, "udp", "alias.shop-kr.c1.lan.", dns.TypeA)
		if m.Rcode != dns.RcodeNameError || len(m.Answer) != 1 {
			t.Errorf("got %v", m)
		}
	}
	for range 2 { // the second one from the cache
		for name, want := range map[string]string{"1.1.101.10.in-addr.arpa.": "NOERROR web.shop-kr.svc.c1.lan.", "2.1.101.10.in-addr.arpa.": "NXDOMAIN"} {
			if got := said(lookup(t, s.addr, "udp", name, dns.TypePTR)); got != want {
				t.Errorf("%s: got %s, want %s", name, got, want)
			}
		}
	}
}

// TestNamespacesLocal: the local cluster's names are its own business, whoever answers them.
func TestNamespacesLocal(t *testing.T) {
	member := clustertest.Serve(t, clustertest.Zone(t, namespacesZone)).Addr.String()
	clusters := clusterAt("c1", member, ", namespaces: [shop-kr]") + "- {name: c2, serviceCIDRs: [10.102.0.0/19], dns: [\"" + member + "\"], namespaces: [payments]}\n"
	for _, tt := range []struct{ options, one, two string }{
		{"local c1", "NOERROR 10.101.1.2", "NXDOMAIN"},
		{"local c2", "NXDOMAIN", "SERVFAIL Filtered"}, // c1's address
		{"", "NXDOMAIN", "NXDOMAIN"},
		{"exports marked", "NXDOMAIN", "NXDOMAIN"},
	} {
		s := serveSet(t, clusters, tt.options)
		for name, want := range map[string]string{"web.private.c1.lan.": tt.one, "web.private.c2.lan.": tt.two} {
			if got := said(lookup(t, s.addr, "udp", name, dns.TypeA)); got != want {
				t.Errorf("%q: %s: got %s, want %s", tt.options, name, got, want)
			}
		}
	}
}
