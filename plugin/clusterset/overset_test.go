package clusterset

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// part is a member of a test's ClusterSet.
type part struct {
	cluster model.Cluster
	view    *view // nil without data
	dns     dns.HandlerFunc
}

// oversetOptions are those of a server that answers for clusterset.local.
func oversetOptions() options {
	o := defaultOptions()
	o.timeout, o.cache, o.multicluster = inTime, 0, []string{"clusterset.local."}
	return o
}

// newOverset is the plugin for the members, of which local is the local one's name.
func newOverset(tb testing.TB, o options, local string, policies []model.Policy, parts ...part) *Clusterset {
	tb.Helper()
	servers := make([]netip.AddrPort, len(parts))
	for i := range parts {
		handler := parts[i].dns
		if handler == nil {
			handler = clustertest.Rcode(dns.RcodeServerFailure)
		}
		servers[i] = clustertest.Serve(tb.(*testing.T), handler).Addr
	}
	return newOversetAt(tb, o, local, policies, parts, servers)
}

// newOversetAt is newOverset with the members' DNS at those addresses, which they may share.
func newOversetAt(tb testing.TB, o options, local string, policies []model.Policy, parts []part, servers []netip.AddrPort) *Clusterset {
	tb.Helper()
	p := &Clusterset{zones: []string{"lan.", "clusterset.local."}, options: o}
	p.addresses.hosts = []string{"127.77.0.1"}
	p.resolver.Options = p.forResolver()
	set, byName := &model.ClusterSet{Policies: policies}, make(map[string]*members.Member)
	for i := range parts {
		c := &parts[i].cluster
		c.ClusterDomain = cmp.Or(c.ClusterDomain, "cluster.local.")
		if c.Network == "" {
			c.Network = "default"
		}
		c.DNS = []model.Upstream{{Scheme: model.DNS, Addr: servers[i]}}
		metrics := acquireSeries(c.Name)
		client := exchange.New(c, exchange.Options{Timeout: o.timeout, Metrics: metrics.exchange, Changed: func(model.Upstream, error) {}})
		tb.Cleanup(func() {
			client.Close()
			metrics.Release()
		})
		m := &members.Member{Cluster: c, Client: client, Inflight: exchange.NewInflight(0), Metrics: metrics}
		if parts[i].view != nil {
			m.Data = parts[i].view
		}
		set.Clusters = append(set.Clusters, c)
		byName[c.Name] = m
	}
	p.resolver.SetMembers(members.NewSet(set, byName, local))
	return p
}

// cluster describes a member whose addresses begin with "10.N.".
func cluster(name, cidr string, change ...func(*model.Cluster)) model.Cluster {
	c := model.Cluster{Name: name, ServiceCIDRs: []netip.Prefix{netip.MustParsePrefix(cidr)}}
	for _, f := range change {
		f(&c)
	}
	return c
}

// exports are fresh data with an exported Service web.shop that has those cluster IPs, and
// of whose endpoints so many are ready.
func exports(ready, notReady int, change func(*model.Service), addresses ...string) *view {
	port := []model.Port{{Name: "http", Protocol: "TCP", Number: 80}}
	s := model.Service{Key: "web.shop", Type: model.ClusterIP, Ports: port}
	for _, a := range addresses {
		s.ClusterIPs = append(s.ClusterIPs, netip.MustParseAddr(a))
	}
	if change != nil {
		change(&s)
	}
	slice := &model.Slice{Key: "shop/web-1", Service: "web.shop", Ports: port}
	first := netip.MustParseAddr(addresses[0]).As16()
	endpoint := func(i int) model.Endpoint {
		address := first
		address[14], address[15] = 200, byte(i)
		return model.Endpoint{Addr: netip.AddrFrom16(address).Unmap()}
	}
	for i := range ready {
		slice.Endpoints = append(slice.Endpoints, endpoint(i))
	}
	var others []model.Endpoint
	for i := range notReady {
		others = append(others, endpoint(100+i))
	}
	slice.NotReady = &others
	c := model.NewData().Change()
	c.SetNamespace("shop")
	c.SetService(s)
	c.SetSlice(slice)
	c.SetExport("web.shop", time.Unix(1, 0))
	return &view{member.View{Data: c.Done(time.Unix(42, 0)), State: member.Fresh}}
}

// unshared are those data with the Service global to Cilium, and not shared, instead of
// exported.
func unshared(v *view, key string) *view {
	c, s := v.now.Data.Change(), *v.now.Data.Service(key)
	s.Marks = model.CiliumGlobal | model.CiliumUnshared
	c.SetService(s)
	c.DeleteExport(key)
	return &view{member.View{Data: c.Done(time.Unix(42, 0)), State: member.Fresh}}
}

// nothing are fresh data without a Service.
func nothing() *view { return &view{member.View{Data: model.NewData(), State: member.Fresh}} }

func (v *view) as(s member.State, since time.Duration) *view {
	return &view{member.View{Data: v.now.Data, State: s, Since: time.Now().Add(-since), Err: errAPI}}
}

// answersOf are the addresses, or targets, in a reply, with its rcode and extended error.
func answersOf(m *dns.Msg) string {
	var all []string
	for _, rr := range m.Answer {
		fields := strings.Fields(rr.String())
		all = append(all, strings.Join(fields[4:], " "))
	}
	slices.Sort(all)
	text := dns.RcodeToString[m.Rcode]
	if len(all) > 0 {
		text += " " + strings.Join(all, ",")
	}
	if o := m.IsEdns0(); o != nil {
		for _, option := range o.Option {
			if e, ok := option.(*dns.EDNS0_EDE); ok {
				text += " " + dns.ExtendedErrorCodeToString[e.InfoCode]
			}
		}
	}
	return text
}

// askedFrom is the reply to a client at an address.
func askedFrom(tb testing.TB, p *Clusterset, client, name string, qtype uint16) *dns.Msg {
	tb.Helper()
	q := new(dns.Msg)
	q.SetQuestion(name, qtype)
	q.SetEdns0(1232, false)
	w := dnstest.NewRecorder(&test.ResponseWriter{RemoteIP: client})
	code, _ := p.ServeDNS(context.Background(), w, q)
	if w.Msg == nil {
		w.Msg = new(dns.Msg)
		w.Msg.Rcode = code
	}
	return w.Msg
}

const overset = "web.shop.svc.clusterset.local."

// zoneOf is a member's DNS that has the Service at those addresses.
func zoneOf(t *testing.T, records ...string) dns.HandlerFunc {
	t.Helper()
	text := "cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 2 3 4 5\n"
	for _, r := range records {
		text += r + "\n"
	}
	return clustertest.Zone(t, text)
}

// TestOverset is who answers a name over the whole ClusterSet.
func TestOverset(t *testing.T) {
	eastIs, westIs := cluster("east", "10.1.0.0/16"), cluster("west", "10.2.0.0/16")
	east, west := exports(2, 0, nil, "10.1.0.1"), exports(2, 0, nil, "10.2.0.1")
	headless := func(s *model.Service) { s.Type, s.ClusterIPs = model.Headless, nil }
	affinity := func(a model.Affinity) func(*model.Service) { return func(s *model.Service) { s.CiliumAffinity = a } }
	inMode := func(m model.Mode) options {
		o := oversetOptions()
		o.mode = m
		return o
	}
	in := oversetOptions()
	for _, test := range []struct {
		name     string
		o        options
		local    string
		policies []model.Policy
		parts    []part
		want     string
	}{
		{"local first", in, "east", nil, []part{{eastIs, east, nil}, {westIs, west, nil}}, "NOERROR 10.1.0.1"},
		{"local has none ready", in, "east", nil, []part{{eastIs, exports(0, 2, nil, "10.1.0.1"), nil}, {westIs, west, nil}}, "NOERROR 10.2.0.1"},
		{"local hasn't it", in, "east", nil, []part{{eastIs, nothing(), nil}, {westIs, west, nil}}, "NOERROR 10.2.0.1"},
		{"local isn't known", in, "", nil, []part{{eastIs, east, nil}, {westIs, west, nil}}, "NOERROR 10.1.0.1,10.2.0.1"},
		{"annotation none", in, "east", nil, []part{{eastIs, exports(1, 0, affinity(model.AffinityNone), "10.1.0.1"), nil}, {westIs, west, nil}}, "NOERROR 10.1.0.1,10.2.0.1"},
		{"annotation local, few are ready", in, "east", nil, []part{{eastIs, exports(1, 9, affinity(model.AffinityLocal), "10.1.0.1"), nil}, {westIs, west, nil}}, "NOERROR 10.1.0.1"},
		{"global, not shared, for its own cluster", in, "east", nil, []part{{eastIs, unshared(east, "web.shop"), nil}, {westIs, nothing(), nil}}, "NOERROR 10.1.0.1"},
		{"global, not shared, for another", in, "west", nil, []part{{eastIs, unshared(east, "web.shop"), nil}, {westIs, nothing(), nil}}, "NXDOMAIN"},
		{"annotation remote", in, "east", nil, []part{{eastIs, exports(1, 0, affinity(model.AffinityRemote), "10.1.0.1"), nil}, {westIs, west, nil}}, "NOERROR 10.2.0.1"},
		{"policy before annotation", in, "east", []model.Policy{{Services: []string{"shop/*"}, Affinity: model.AffinityNone}},
			[]part{{eastIs, exports(1, 0, affinity(model.AffinityRemote), "10.1.0.1"), nil}, {westIs, west, nil}}, "NOERROR 10.1.0.1,10.2.0.1"},
		{"failover", in, "east", []model.Policy{{Services: []string{"shop/web"}, Failover: []string{"west", "east"}}}, []part{{eastIs, east, nil}, {westIs, west, nil}}, "NOERROR 10.2.0.1"},
		{"weight 0", in, "east", []model.Policy{{Services: []string{"shop/web"}, Weights: map[string]int{"east": 0, "west": 1}}}, []part{{eastIs, east, nil}, {westIs, west, nil}}, "NOERROR 10.2.0.1"},
		{"not allowed", in, "east", []model.Policy{{Services: []string{"shop/web"}, Allow: []string{"west"}}}, []part{{eastIs, east, nil}, {westIs, west, nil}}, "NXDOMAIN Prohibited"},
		{"traffic local, of the local cluster", in, "east", nil, []part{{eastIs, exports(0, 1, func(s *model.Service) { s.InternalLocal = true }, "10.1.0.1"), nil}, {westIs, west, nil}}, "NXDOMAIN"},
		{"traffic local, of another", in, "east", nil, []part{{eastIs, nothing(), nil}, {westIs, exports(1, 0, func(s *model.Service) { s.InternalLocal = true }, "10.2.0.1"), nil}}, "NXDOMAIN"},
		{"nobody has it", in, "east", nil, []part{{eastIs, nothing(), nil}, {westIs, nothing(), nil}}, "NXDOMAIN"},
		{"none is ready", in, "east", nil, []part{{eastIs, exports(0, 1, nil, "10.1.0.1"), nil}, {westIs, nothing(), nil}}, "NXDOMAIN"},
		{"one isn't known", inMode(model.ModeResolve), "east", nil, []part{{eastIs, nothing(), nil}, {westIs, nothing().as(member.Unsynced, 0), nil}}, "SERVFAIL Not Ready"},
		{"one isn't known, another has it", inMode(model.ModeResolve), "east", nil, []part{{eastIs, east, nil}, {westIs, nothing().as(member.Unsynced, 0), nil}}, "NOERROR 10.1.0.1"},
		{"no data", inMode(model.ModeResolve), "east", nil, []part{{eastIs, nothing(), nil}, {westIs, nil, nil}}, "SERVFAIL No Reachable Authority"},
		{"stale", inMode(model.ModeResolve), "east", nil, []part{{eastIs, nothing(), nil}, {westIs, west.as(member.Stale, time.Minute), nil}}, "NOERROR 10.2.0.1 Stale Answer"},
		{"stale beside fresh", inMode(model.ModeResolve), "east", nil, []part{{eastIs, east.as(member.Stale, time.Minute), nil}, {westIs, west, nil}}, "NOERROR 10.2.0.1"},
		{"too old", inMode(model.ModeResolve), "east", nil, []part{{eastIs, nothing(), nil}, {westIs, west.as(member.Stale, 2*time.Hour), nil}}, "SERVFAIL No Reachable Authority"},
		{"stale without the name", inMode(model.ModeResolve), "east", nil, []part{{eastIs, nothing(), nil}, {westIs, nothing().as(member.Stale, time.Minute), nil}}, "SERVFAIL No Reachable Authority"},
		{"stale, its DNS has it", in, "east", nil, []part{{eastIs, nothing(), nil}, {westIs, west.as(member.Stale, time.Minute), zoneOf(t, "web.shop.svc.cluster.local. 5 IN A 10.2.0.9")}}, "NOERROR 10.2.0.9"},
		{"stale, its DNS is dead", in, "east", nil, []part{{eastIs, nothing(), nil}, {westIs, west.as(member.Stale, time.Minute), nil}}, "NOERROR 10.2.0.1 Stale Answer"},
		{"headless", in, "east", nil, []part{{eastIs, exports(2, 1, headless, "10.1.0.1"), nil}, {westIs, nothing(), nil}}, "NOERROR 10.1.200.0,10.1.200.1"},
		{"of two types, the name first", in, "", nil, []part{{eastIs, exports(2, 0, headless, "10.1.0.1"), nil}, {westIs, west, nil}}, "NOERROR 10.1.200.0,10.1.200.1"},
		{"another network without gateway", in, "east", nil, []part{{eastIs, nothing(), nil}, {cluster("west", "10.2.0.0/16", func(c *model.Cluster) { c.Network = "far" }), west, nil}}, "SERVFAIL Filtered"},
		{"another network with a gateway", in, "east", nil, []part{{eastIs, nothing(), nil}, {cluster("west", "10.2.0.0/16", func(c *model.Cluster) {
			c.Network, c.Gateways = "far", []netip.Addr{netip.MustParseAddr("203.0.113.2")}
		}), west, nil}}, "NOERROR 203.0.113.2"},
		{"its load balancer first", in, "east", nil, []part{{eastIs, nothing(), nil}, {cluster("west", "10.2.0.0/16", func(c *model.Cluster) {
			c.Network, c.Gateways = "far", []netip.Addr{netip.MustParseAddr("203.0.113.2")}
		}), exports(1, 0, func(s *model.Service) {
			s.Outside = &model.Outside{LoadBalancers: []netip.Addr{netip.MustParseAddr("198.51.100.7")}}
		}, "10.2.0.1"), nil}}, "NOERROR 198.51.100.7"},
		{"pods", in, "east", nil, []part{{eastIs, nothing(), nil}, {cluster("west", "10.2.0.0/16", func(c *model.Cluster) { c.Reach = []model.Reach{model.ReachPods} }), west, nil}}, "NOERROR 10.2.200.0,10.2.200.1"},
		{"a namespace that isn't offered", in, "east", nil, []part{{eastIs, nothing(), nil}, {cluster("west", "10.2.0.0/16", func(c *model.Cluster) { c.Namespaces = []string{"pay-*"} }), west, nil}}, "NXDOMAIN"},
		{"another's address", in, "east", nil, []part{{eastIs, nothing(), nil}, {westIs, exports(1, 0, nil, "10.1.0.9"), nil}}, "SERVFAIL Filtered"},
		{"an ExternalName", in, "east", nil, []part{{eastIs, exports(1, 0, func(s *model.Service) { s.Type, s.ExternalName = model.External, "example.org" }, "10.1.0.1"), nil}}, "NXDOMAIN"},

		{"by DNS alone", in, "east", nil, []part{
			{eastIs, nil, zoneOf(t)}, {westIs, nil, zoneOf(t, "web.shop.svc.cluster.local. 5 IN A 10.2.0.1")},
			{cluster("north", "10.3.0.0/16"), nil, zoneOf(t, "web.shop.svc.cluster.local. 5 IN A 10.3.0.1")},
		}, "NOERROR 10.2.0.1,10.3.0.1"},
		{"by DNS alone, local first", in, "east", nil, []part{
			{eastIs, nil, zoneOf(t, "web.shop.svc.cluster.local. 5 IN A 10.1.0.1")}, {westIs, nil, zoneOf(t, "web.shop.svc.cluster.local. 5 IN A 10.2.0.1")},
		}, "NOERROR 10.1.0.1"},
		{"by DNS alone, one is dead", in, "east", nil, []part{{eastIs, nil, nil}, {westIs, nil, zoneOf(t, "web.shop.svc.cluster.local. 5 IN A 10.2.0.1")}}, "NOERROR 10.2.0.1"},
		{"by DNS alone, one is silent", in, "east", nil, []part{{eastIs, nil, clustertest.Silence}, {westIs, nil, zoneOf(t, "web.shop.svc.cluster.local. 5 IN A 10.2.0.1")}}, "NOERROR 10.2.0.1"},
		{"by DNS alone, the others haven't it, one is dead", in, "east", nil, []part{{eastIs, nil, nil}, {westIs, nil, zoneOf(t)}}, "SERVFAIL No Reachable Authority"},
		{"by DNS alone, nobody has it", in, "east", nil, []part{{eastIs, nil, zoneOf(t)}, {westIs, nil, zoneOf(t)}}, "NXDOMAIN"},
		{"by DNS alone, no such type", in, "east", nil, []part{{eastIs, nil, zoneOf(t, "web.shop.svc.cluster.local. 5 IN AAAA fd00::1")}, {westIs, nil, zoneOf(t)}}, "NOERROR"},
		{"by DNS alone, an ExternalName", in, "east", nil, []part{{eastIs, nil, zoneOf(t, "web.shop.svc.cluster.local. 5 IN CNAME example.org.")}, {westIs, nil, zoneOf(t)}}, "NXDOMAIN"},
		{"by DNS and by data", in, "", nil, []part{{eastIs, east, nil}, {westIs, nil, zoneOf(t, "web.shop.svc.cluster.local. 5 IN A 10.2.0.9")}}, "NOERROR 10.1.0.1,10.2.0.9"},
		{"by DNS, another's address", in, "east", nil, []part{{eastIs, nil, zoneOf(t)}, {westIs, nil, zoneOf(t, "web.shop.svc.cluster.local. 5 IN A 10.1.0.9")}}, "SERVFAIL Filtered"},
		{"data say that they have it not, DNS isn't asked", in, "east", nil, []part{{eastIs, nothing(), zoneOf(t, "web.shop.svc.cluster.local. 5 IN A 10.1.0.1")}}, "NXDOMAIN"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newOverset(t, test.o, test.local, test.policies, test.parts...)
			for range 2 { // as it is found, and as it is kept
				if got := answersOf(askedFrom(t, p, "192.0.2.1", overset, dns.TypeA)); got != test.want {
					t.Errorf("%s, want %s", got, test.want)
				}
			}
		})
	}
}

// TestOversetNames: the names of KEP-1645 from data, and from DNS alone.
func TestOversetNames(t *testing.T) {
	headless := func(s *model.Service) {
		s.Type, s.ClusterIPs = model.Headless, nil
	}
	data := newOverset(t, oversetOptions(), "", nil,
		part{cluster("east", "10.1.0.0/16"), exports(1, 0, headless, "10.1.0.1"), nil}, part{cluster("c1.west", "10.2.0.0/16"), exports(1, 0, headless, "10.2.0.1"), nil})
	vips := newOverset(t, oversetOptions(), "", nil,
		part{cluster("east", "10.1.0.0/16"), exports(1, 0, nil, "10.1.0.1"), nil}, part{cluster("c1.west", "10.2.0.0/16"), exports(1, 0, nil, "10.2.0.1"), nil})
	records := func(addr string) dns.HandlerFunc {
		name := strings.ReplaceAll(addr, ".", "-") + ".web.shop.svc.cluster.local."
		return zoneOf(t, "web.shop.svc.cluster.local. 5 IN A "+addr, name+" 5 IN A "+addr,
			"_http._tcp.web.shop.svc.cluster.local. 5 IN SRV 0 100 80 "+name, "web.shop.svc.cluster.local. 5 IN SRV 0 100 80 "+name)
	}
	asks := newOverset(t, oversetOptions(), "", nil,
		part{cluster("east", "10.1.0.0/16"), nil, records("10.1.200.0")}, part{cluster("c1.west", "10.2.0.0/16"), nil, records("10.2.200.0")})
	const hosts = "0 50 80 10-1-200-0.east." + overset + ",0 50 80 10-2-200-0.c1.west." + overset
	for _, test := range []struct {
		name             string
		qtype            uint16
		data, vips, asks string // "" isn't compared
	}{
		{overset, dns.TypeA, "NOERROR 10.1.200.0,10.2.200.0", "NOERROR 10.1.0.1,10.2.0.1", "NOERROR 10.1.200.0,10.2.200.0"},
		{overset, dns.TypeAAAA, "NOERROR", "NOERROR", "NOERROR"},
		{overset, dns.TypeMX, "NOERROR", "NOERROR", "NOERROR"},
		{overset, dns.TypeSRV, "NOERROR " + hosts, "NOERROR 0 50 80 " + overset, "NOERROR " + strings.ReplaceAll(hosts, " 50 ", " 100 ")},
		{"_http._tcp." + overset, dns.TypeSRV, "NOERROR " + hosts, "NOERROR 0 50 80 " + overset, "NOERROR " + strings.ReplaceAll(hosts, " 50 ", " 100 ")},
		{"_other._tcp." + overset, dns.TypeSRV, "NXDOMAIN", "NXDOMAIN", "NXDOMAIN"},
		{"_tcp." + overset, dns.TypeA, "NOERROR", "NOERROR", "NOERROR"},
		{"10-1-200-0.east." + overset, dns.TypeA, "NOERROR 10.1.200.0", "NXDOMAIN", "NOERROR 10.1.200.0"},
		{"10-2-200-0.C1.west." + overset, dns.TypeA, "NOERROR 10.2.200.0", "NXDOMAIN", "NOERROR 10.2.200.0"},
		{"10-2-200-0.east." + overset, dns.TypeA, "NXDOMAIN", "NXDOMAIN", "NXDOMAIN"},
		{"10-2-200-0.north." + overset, dns.TypeA, "NXDOMAIN", "NXDOMAIN", "NXDOMAIN"},
		{"east." + overset, dns.TypeA, "NXDOMAIN", "NXDOMAIN", "NXDOMAIN"},
		{"other.shop.svc.clusterset.local.", dns.TypeA, "NXDOMAIN", "NXDOMAIN", "NXDOMAIN"},
		{"shop.svc.clusterset.local.", dns.TypeA, "NOERROR", "NOERROR", "NOERROR"},
		{"svc.clusterset.local.", dns.TypeA, "NOERROR", "NOERROR", "NOERROR"},
		{"web.shop.clusterset.local.", dns.TypeA, "NXDOMAIN", "NXDOMAIN", "NXDOMAIN"},
		{"dns-version.clusterset.local.", dns.TypeTXT, `NOERROR "1.0.0"`, `NOERROR "1.0.0"`, `NOERROR "1.0.0"`},
		{"clusterset.local.", dns.TypeNS, "NOERROR ns.dns.clusterset.local.", "", ""},
		{"ns.dns.clusterset.local.", dns.TypeA, "NOERROR 127.77.0.1", "", ""},
	} {
		for p, want := range map[*Clusterset]string{data: test.data, vips: test.vips, asks: test.asks} {
			m := askedFrom(t, p, "192.0.2.1", test.name, test.qtype)
			if got := answersOf(m); want != "" && got != want {
				t.Errorf("%s %s (%s): %s, want %s", test.name, dns.TypeToString[test.qtype], map[*Clusterset]string{data: "data", vips: "vips", asks: "asks"}[p], got, want)
			}
			if test.qtype == dns.TypeSRV && len(m.Answer) > 0 && p != asks && len(m.Extra) != 2 {
				t.Errorf("%s: no addresses of the targets: %v", test.name, m.Extra)
			}
			if len(m.Answer) == 0 && (len(m.Ns) != 1 || m.Ns[0].Header().Name != "clusterset.local.") {
				t.Errorf("%s: authority %v", test.name, m.Ns)
			}
		}
	}
}

// fixedClient is a client at one address.
type fixedClient struct {
	test.ResponseWriter
	addr net.Addr
}

func (c *fixedClient) RemoteAddr() net.Addr { return c.addr }

// TestOversetAllocations: a name over the whole ClusterSet costs no more than one of a cluster.
func TestOversetAllocations(t *testing.T) {
	var parts []part
	for i := range 50 {
		a := netip.AddrFrom4([4]byte{10, byte(i), 0, 1}).String()
		parts = append(parts, part{cluster("c"+strings.ReplaceAll(a, ".", "-"), "10."+strings.Split(a, ".")[1]+".0.0/16"), exports(1, 0, nil, a), nil})
	}
	p := newOverset(t, oversetOptions(), parts[7].cluster.Name, nil, parts...)
	q, w := new(dns.Msg), &fixedClient{addr: &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1)}}
	q.SetQuestion(overset, dns.TypeA)
	one := func() { _, _ = p.ServeDNS(context.Background(), w, q) }
	cq := new(dns.Msg)
	cq.SetQuestion("web.shop."+parts[7].cluster.Name+".lan.", dns.TypeA)
	inCluster := testing.AllocsPerRun(100, func() { _, _ = p.ServeDNS(context.Background(), w, cq) })
	if n := testing.AllocsPerRun(100, one); n > inCluster {
		t.Errorf("%v allocations, %v for a name of one cluster", n, inCluster)
	}
}

// TestOversetSilent: what data have is answered, though a member's DNS is silent. That takes
// 2.4 s to be known as dead.
func TestOversetSilent(t *testing.T) {
	p := newOverset(t, oversetOptions(), "", nil,
		part{cluster("east", "10.1.0.0/16"), exports(1, 0, nil, "10.1.0.1"), nil}, part{cluster("west", "10.2.0.0/16"), nil, clustertest.Silence})
	start := time.Now()
	if got := answersOf(askedFrom(t, p, "192.0.2.1", overset, dns.TypeA)); got != "NOERROR 10.1.0.1" {
		t.Error(got)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("answered after %v", took)
	}
}
