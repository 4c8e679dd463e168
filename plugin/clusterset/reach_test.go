package clusterset

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// resolverBeside is newResolver, with a local member "here" beside c1, which change changes.
func resolverBeside(tb testing.TB, v *view, upstream string, change func(*model.Cluster)) *Clusterset {
	tb.Helper()
	p := newResolver(tb, model.ModeAuto, v, upstream)
	here := &model.Cluster{Name: "here", Network: "default", ClusterDomain: "cluster.local.", ServiceCIDRs: prefixes("10.100.0.0/16")}
	one := *p.resolver.Members().Member("c1")
	c := *one.Cluster
	c.Network = "default"
	change(&c)
	one.Cluster = &c
	set := &model.ClusterSet{Clusters: []*model.Cluster{here, &c}}
	p.resolver.SetMembers(members.NewSet(set, map[string]*members.Member{"here": {Cluster: here}, "c1": &one}, "here"))
	return p
}

func addrs(texts ...string) []netip.Addr {
	var all []netip.Addr
	for _, text := range texts {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}

// said is the rcode of a reply, the sorted data of its answers, those of its additional
// records, and its extended error.
func said(m *dns.Msg) string {
	text := dns.RcodeToString[m.Rcode]
	for i, section := range [][]dns.RR{m.Answer, m.Extra} {
		var all []string
		for _, rr := range section {
			if rr.Header().Rrtype != dns.TypeOPT {
				all = append(all, strings.Join(strings.Fields(rr.String())[4:], " "))
			}
		}
		slices.Sort(all)
		if len(all) > 0 {
			text += [2]string{" ", " with "}[i] + strings.Join(all, ", ")
		}
	}
	if code, _ := explanation(m); code == dns.ExtendedErrorCodeFiltered {
		text += " Filtered"
	}
	return text
}

// reachData have a Service with all kinds of addresses, one without endpoints, one whose load
// balancer has another family, a headless one and an ExternalName.
func reachData() *model.Data {
	c := model.NewData().Change()
	c.SetNamespace("default")
	http := []model.Port{{Name: "http", Protocol: "TCP", Number: 80}}
	for _, s := range []model.Service{
		{Key: "web.default", Type: model.ClusterIP, ClusterIPs: addrs("10.101.1.1", "fd00:101::1"), Outside: &model.Outside{
			LoadBalancers: addrs("203.0.113.80", "203.0.113.81"), ExternalIPs: addrs("203.0.113.81", "203.0.113.70"),
		}},
		{Key: "idle.default", Type: model.ClusterIP, ClusterIPs: addrs("10.101.1.2"), Outside: &model.Outside{Hostnames: []string{"lb.example"}}},
		{Key: "six.default", Type: model.ClusterIP, ClusterIPs: addrs("10.101.1.3", "fd00:101::3"), Outside: &model.Outside{LoadBalancers: addrs("2001:db8::80")}},
		{Key: "db.default", Type: model.Headless},
		{Key: "alias.default", Type: model.External, ExternalName: "web.default.svc.cluster.local"},
	} {
		if s.Type != model.External {
			s.Ports = http
		}
		c.SetService(s)
	}
	ports := []model.Port{{Name: "http", Protocol: "TCP", Number: 8080}}
	c.SetSlice(&model.Slice{Key: "default/web-1", Service: "web.default", Ports: ports, Endpoints: []model.Endpoint{{Addr: addrs("10.51.0.7")[0]}, {Addr: addrs("10.51.0.8")[0]}}})
	c.SetSlice(&model.Slice{Key: "default/db-1", Service: "db.default", Ports: ports, Endpoints: []model.Endpoint{{Addr: addrs("10.51.0.3")[0], Hostname: "db-0"}}})
	return c.Done(time.Unix(42, 0))
}

// reachZone is what the member's DNS says of the same Services.
const reachZone = `cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 2 3 4 5
web.default.svc.cluster.local. 5 IN A 10.101.1.1
web.default.svc.cluster.local. 5 IN AAAA fd00:101::1
idle.default.svc.cluster.local. 5 IN A 10.101.1.2
db.default.svc.cluster.local. 5 IN A 10.51.0.3
lb.default.svc.cluster.local. 5 IN A 203.0.113.80
mixed.default.svc.cluster.local. 5 IN A 10.101.1.1
mixed.default.svc.cluster.local. 5 IN A 10.51.0.7
mixed.default.svc.cluster.local. 5 IN A 203.0.113.80
`

var (
	far      = func(c *model.Cluster) { c.Network = "far" }
	near     = func(*model.Cluster) {}
	gateways = func(c *model.Cluster) { c.Gateways = addrs("203.0.113.1", "203.0.113.2") }
	pods     = func(c *model.Cluster) { c.PodCIDRs = prefixes("10.51.0.0/16") }
	balanced = func(c *model.Cluster) { c.LoadBalancerCIDRs = prefixes("203.0.113.64/26") }
)

func reach(kinds ...model.Reach) func(*model.Cluster) {
	return func(c *model.Cluster) { c.Reach = kinds }
}

// TestReachOfData: of a Service, the first kind of address in its member's reach that it has.
func TestReachOfData(t *testing.T) {
	const web, idle, six, db, srv = "web.default.c1.lan.", "idle.default.c1.lan.", "six.default.c1.lan.", "db.default.c1.lan.", "_http._tcp."
	const one, other = "203.0.113.70, 203.0.113.80, 203.0.113.81", "203.0.113.1, 203.0.113.2"
	type changes []func(*model.Cluster)
	fresh := &view{member.View{Data: reachData(), State: member.Fresh}}
	for _, tt := range []struct {
		changes changes
		qname   string
		qtype   uint16
		want    string
	}{
		{changes{near}, web, dns.TypeA, "NOERROR 10.101.1.1"},
		{changes{near, reach(model.ReachServices, model.ReachGateways), gateways}, web, dns.TypeA, "NOERROR 10.101.1.1"},
		{changes{far, reach(model.ReachServices)}, web, dns.TypeA, "NOERROR 10.101.1.1"},
		{changes{far, reach(model.ReachServices)}, db, dns.TypeA, "NOERROR 10.51.0.3"},
		// the default from another network
		{changes{far, gateways}, web, dns.TypeA, "NOERROR " + one},
		{changes{far, gateways}, web, dns.TypeAAAA, "NOERROR"},
		{changes{far, gateways}, six, dns.TypeA, "NOERROR"},
		{changes{far, gateways}, six, dns.TypeAAAA, "NOERROR 2001:db8::80"},
		{changes{far, gateways}, idle, dns.TypeA, "NOERROR " + other},
		{changes{far, gateways}, idle, dns.TypeAAAA, "NOERROR"},
		{changes{far, gateways}, db, dns.TypeA, "NOERROR " + other},
		{changes{far, gateways}, "db-0." + db, dns.TypeA, "NOERROR " + other},
		{changes{far, gateways}, "nope.default.c1.lan.", dns.TypeA, "NXDOMAIN"},
		{changes{far, gateways}, "default.c1.lan.", dns.TypeA, "NOERROR"},
		{changes{far, gateways}, srv + web, dns.TypeSRV, "NOERROR 0 33 80 web.default.svc.c1.lan. with " + one},
		{changes{far, gateways}, srv + db, dns.TypeSRV, "NOERROR 0 100 8080 db-0.db.default.svc.c1.lan. with " + other},
		// nothing that it has
		{changes{far}, idle, dns.TypeA, "SERVFAIL Filtered"},
		{changes{far}, idle, dns.TypeAAAA, "NOERROR"},
		{changes{far}, idle, dns.TypeTXT, "NOERROR"},
		{changes{far}, srv + idle, dns.TypeSRV, "NOERROR 0 100 80 idle.default.svc.c1.lan."},
		{changes{far}, "10-51-0-7." + web, dns.TypeA, "SERVFAIL Filtered"},
		{changes{near, reach(model.ReachPods)}, idle, dns.TypeA, "SERVFAIL Filtered"},
		// gateways of another family
		{changes{far, gateways, reach(model.ReachGateways)}, web, dns.TypeAAAA, "NOERROR Filtered"},
		{changes{far, gateways, reach(model.ReachGateways)}, web, dns.TypeA, "NOERROR " + other},
		// pods
		{changes{near, reach(model.ReachPods)}, web, dns.TypeA, "NOERROR 10.51.0.7, 10.51.0.8"},
		{changes{near, reach(model.ReachPods)}, web, dns.TypeAAAA, "NOERROR"},
		{changes{near, reach(model.ReachPods)}, db, dns.TypeA, "NOERROR 10.51.0.3"},
		{changes{near, reach(model.ReachPods)}, "10-51-0-7." + web, dns.TypeA, "NOERROR 10.51.0.7"},
		{changes{near, reach(model.ReachPods, model.ReachServices)}, idle, dns.TypeA, "NOERROR 10.101.1.2"},
		{changes{near, reach(model.ReachPods)}, srv + web, dns.TypeSRV,
			"NOERROR 0 50 8080 10-51-0-7.web.default.svc.c1.lan., 0 50 8080 10-51-0-8.web.default.svc.c1.lan. with 10.51.0.7, 10.51.0.8"},
		{changes{near, pods, reach(model.ReachLoadBalancers), balanced}, web, dns.TypeA, "NOERROR " + one},
		{changes{near, pods, reach(model.ReachLoadBalancers)}, web, dns.TypeA, "SERVFAIL Filtered"}, // guarded
		{changes{far, gateways}, "1.1.101.10.in-addr.arpa.", dns.TypePTR, "NXDOMAIN"},               // another network's
		{changes{near, reach(model.ReachPods)}, "1.1.101.10.in-addr.arpa.", dns.TypePTR, "NOERROR web.default.svc.c1.lan."},
	} {
		p := resolverBeside(t, fresh, "127.77.0.1:53", func(c *model.Cluster) {
			for _, change := range tt.changes {
				change(c)
			}
		})
		if got := said(asked(t, p, tt.qname, tt.qtype)); got != tt.want {
			c := p.resolver.Members().Member("c1").Cluster
			t.Errorf("%s %s, network %s, reach %s: got %s, want %s", tt.qname, dns.TypeToString[tt.qtype], c.Network, c.Reach, got, tt.want)
		}
	}
}

// TestReachForwarded: of what a member's DNS says, the addresses that its CIDRs say are in reach.
func TestReachForwarded(t *testing.T) {
	const web, idle, db, lb, mixed = "web.default.c1.lan.", "idle.default.c1.lan.", "db.default.c1.lan.", "lb.default.c1.lan.", "mixed.default.c1.lan."
	alive := clustertest.Serve(t, clustertest.Zone(t, reachZone)).Addr.String()
	type changes []func(*model.Cluster)
	for _, tt := range []struct {
		changes changes
		qname   string
		qtype   uint16
		want    string
	}{
		{changes{near, pods}, web, dns.TypeA, "NOERROR 10.101.1.1"},
		{changes{far, gateways}, web, dns.TypeA, "NOERROR 203.0.113.1, 203.0.113.2"},
		{changes{far, gateways}, web, dns.TypeAAAA, "NOERROR Filtered"},
		{changes{far, gateways}, idle, dns.TypeAAAA, "NOERROR"},
		{changes{far}, web, dns.TypeA, "SERVFAIL Filtered"},
		{changes{far}, idle, dns.TypeAAAA, "NOERROR"},
		{changes{far, balanced}, lb, dns.TypeA, "NOERROR 203.0.113.80"},
		{changes{far, balanced, gateways}, mixed, dns.TypeA, "NOERROR 203.0.113.80"},
		{changes{far, balanced, reach(model.ReachGateways, model.ReachLoadBalancers)}, lb, dns.TypeA, "NOERROR 203.0.113.80"},
		{changes{near, pods, reach(model.ReachPods)}, db, dns.TypeA, "NOERROR 10.51.0.3"},
		{changes{near, pods, balanced, reach(model.ReachPods)}, mixed, dns.TypeA, "NOERROR 10.51.0.7"},
		{changes{near, pods, reach(model.ReachPods)}, web, dns.TypeA, "SERVFAIL Filtered"},
		{changes{near, reach(model.ReachPods)}, db, dns.TypeA, "NOERROR 10.51.0.3"},
		{changes{near, reach(model.ReachPods)}, web, dns.TypeA, "SERVFAIL Filtered"},
		{changes{near, reach(model.ReachPods, model.ReachServices)}, web, dns.TypeA, "NOERROR 10.101.1.1"},
	} {
		p := resolverBeside(t, nil, alive, func(c *model.Cluster) {
			for _, change := range tt.changes {
				change(c)
			}
		})
		if got := said(asked(t, p, tt.qname, tt.qtype)); got != tt.want {
			c := p.resolver.Members().Member("c1").Cluster
			t.Errorf("%s %s, network %s, reach %s: got %s, want %s", tt.qname, dns.TypeToString[tt.qtype], c.Network, c.Reach, got, tt.want)
		}
	}
}

// TestReachLocal: the local cluster's own names are answered with all that they stand for there;
// while it isn't known which one that is, only a reach that is given holds.
func TestReachLocal(t *testing.T) {
	member := clustertest.Serve(t, clustertest.Zone(t, reachZone)).Addr.String()
	clusters := clusterAt("c1", member, ", reach: [gateways], gateways: [203.0.113.1]") + clusterAt("c2", member, ", network: far")
	for _, tt := range []struct{ options, one, two string }{
		{"local c1", "NOERROR 10.101.1.1", "SERVFAIL Filtered"},
		{"local c2", "NOERROR 203.0.113.1", "NOERROR 10.101.1.1"},
		{"", "NOERROR 203.0.113.1", "NOERROR 10.101.1.1"},
	} {
		s := serveSet(t, clusters, tt.options)
		for name, want := range map[string]string{"web.default.c1.lan.": tt.one, "web.default.c2.lan.": tt.two} {
			if got := said(lookup(t, s.addr, "udp", name, dns.TypeA)); got != want {
				t.Errorf("%q: %s: got %s, want %s", tt.options, name, got, want)
			}
		}
	}
}

// TestReachFollowed: where a member's CNAME leads to somebody else's name, the addresses in its
// reach are its own here, and no others.
func TestReachFollowed(t *testing.T) {
	evil := filepath.Join(t.TempDir(), "evil.zone")
	if err := os.WriteFile(evil, []byte("$ORIGIN evil.test.\n@ 5 IN SOA ns hostmaster 1 7200 1800 86400 5\na 5 IN A 10.101.0.9\nb 5 IN A 10.51.0.9\nc 5 IN A 203.0.113.3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	zone := memberZone
	for _, name := range []string{"a", "b", "c"} {
		zone += name + ".default.svc.cluster.local. 5 IN CNAME " + name + ".evil.test.\n"
	}
	upstream := clustertest.Serve(t, clustertest.Zone(t, zone)).Addr.String()
	for reach, want := range map[string]map[string]string{
		"":                          {"a": "", "b": "", "c": "203.0.113.3"},
		", reach: [pods]":           {"a": "", "b": "10.51.0.9", "c": ""},
		", reach: [services]":       {"a": "10.101.0.9", "b": "10.51.0.9", "c": "203.0.113.3"},
		", reach: [gateways]":       {"a": "", "b": "", "c": "203.0.113.3"},
		", reach: [pods, gateways]": {"a": "", "b": "10.51.0.9", "c": "203.0.113.3"},
	} {
		clusters := clusterAt("here", upstream, ", podCIDRs: [10.51.0.0/16]") + clusterAt("far", upstream, ", network: other, podCIDRs: [10.51.0.0/16], gateways: [203.0.113.3]"+reach)
		s := startCoreDNS(t, ".:PORT {\nbind 127.77.0.1\nclusterset lan {\nfile "+document(t, clusters)+"\nlocal here\n}\nfile "+evil+" evil.test\n}")
		for name, addr := range want {
			m := lookup(t, s.addr, "udp", name+".default.far.lan.", dns.TypeA)
			if lastAddress(m) != addr || (m.Rcode == dns.RcodeServerFailure) != (addr == "") {
				t.Errorf("%q: %s: %v", reach, name, m)
			}
		}
	}
}

// TestReachAllocs: members with another reach cost those without one nothing.
func TestReachAllocs(t *testing.T) {
	fresh := &view{member.View{Data: reachData(), State: member.Fresh}}
	p := resolverBeside(t, fresh, "127.77.0.1:53", reach(model.ReachServices, model.ReachGateways))
	q := new(dns.Msg).SetQuestion("web.default.c1.lan.", dns.TypeA)
	if n := allocsOf(p, q); n > dataAllocs {
		t.Errorf("%v allocations, want %v at most", n, dataAllocs)
	}
}
