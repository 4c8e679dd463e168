package clusterset

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

const (
	anyPort = "_nope._tcp." + overset
	oneHost = "10-2-200-0.west." + overset
)

// TestOversetEdges is what names over the whole ClusterSet are answered with where data are
// stale, DNS is dead, and rules are in each other's way.
func TestOversetEdges(t *testing.T) {
	in, resolve := oversetOptions(), oversetOptions()
	resolve.mode = model.ModeResolve
	fast := in
	fast.timeout = 300 * time.Millisecond
	headless := func(s *model.Service) { s.Type, s.ClusterIPs = model.Headless, nil }
	ownCluster := func(s *model.Service) { s.InternalLocal = true }
	east, west := cluster("east", "10.1.0.0/16"), cluster("west", "10.2.0.0/16")
	far := cluster("west", "10.2.0.0/16", func(c *model.Cluster) { c.Network = "far" })
	gateways := func(all ...string) model.Cluster {
		return cluster("west", "10.2.0.0/16", func(c *model.Cluster) {
			c.Network = "far"
			for _, g := range all {
				c.Gateways = append(c.Gateways, netip.MustParseAddr(g))
			}
		})
	}
	has := exports(2, 0, nil, "10.2.0.1")
	hasStale, headlessStale := has.as(member.Stale, time.Minute), exports(1, 0, headless, "10.2.0.1").as(member.Stale, time.Minute)
	noneReady, hasNotStale := exports(0, 1, nil, "10.2.0.1").as(member.Stale, time.Minute), nothing().as(member.Stale, time.Minute)
	eastHas := part{east, exports(2, 0, nil, "10.1.0.1"), nil}
	eastHasNot := part{east, nothing(), nil}
	byDNS := func(records ...string) dns.HandlerFunc { return zoneOf(t, records...) }
	westByDNS := byDNS("web.shop.svc.cluster.local. 5 IN A 10.2.0.9")
	forward := in
	forward.mode = model.ModeForward
	noStale := in
	noStale.serveStale = 0
	marked := in
	marked.exportsMarked = true
	for _, test := range []struct {
		name     string
		o        options
		local    string
		policies []model.Policy
		parts    []part
		qname    string
		qtype    uint16
		want     string
	}{
		// stale data deny nothing
		{"stale, none ready", resolve, "east", nil, []part{eastHasNot, {west, noneReady, nil}}, overset, dns.TypeA, "SERVFAIL No Reachable Authority"},
		{"stale, none ready, its DNS is dead", in, "east", nil, []part{eastHasNot, {west, noneReady, nil}}, overset, dns.TypeA, "SERVFAIL No Reachable Authority"},
		{"stale, no such port", resolve, "east", nil, []part{eastHasNot, {west, hasStale, nil}}, anyPort, dns.TypeSRV, "SERVFAIL No Reachable Authority"},
		{"stale, no such host", resolve, "east", nil, []part{eastHasNot, {west, headlessStale, nil}}, "nope.west." + overset, dns.TypeA, "SERVFAIL No Reachable Authority"},
		{"stale, a host", in, "east", nil, []part{eastHasNot, {west, headlessStale, nil}}, oneHost, dns.TypeA, "NOERROR 10.2.200.0 Stale Answer"},
		{"stale, its DNS is silent", fast, "east", nil, []part{eastHasNot, {west, hasStale, clustertest.Silence}}, overset, dns.TypeA, "NOERROR 10.2.0.1 Stale Answer"},
		{"stale, serve_stale 0", noStale, "east", nil, []part{eastHasNot, {west, hasStale, nil}}, overset, dns.TypeA, "SERVFAIL No Reachable Authority"},
		{"stale without the name, its DNS denies it", in, "east", nil, []part{eastHasNot, {west, hasNotStale, byDNS()}}, overset, dns.TypeA, "NXDOMAIN"},
		{"stale without the name, its DNS has it", in, "east", nil, []part{eastHasNot, {west, hasNotStale, westByDNS}}, overset, dns.TypeA, "SERVFAIL No Reachable Authority"},
		{"stale without the name, another has it", in, "east", nil, []part{eastHas, {west, hasNotStale, westByDNS}}, overset, dns.TypeA, "NOERROR 10.1.0.1"},
		{"a stale local cluster, another is live", in, "east", nil, []part{{east, eastHas.view.as(member.Stale, time.Minute), nil}, {west, nil, westByDNS}}, overset, dns.TypeA, "NOERROR 10.2.0.9"},

		// rules
		{"a policy that only allows leaves the service its rules", in, "east", []model.Policy{{Services: []string{"*/*"}, Allow: []string{"east"}}},
			[]part{{east, exports(0, 2, ownCluster, "10.1.0.1"), nil}, {west, has, nil}}, overset, dns.TypeA, "NXDOMAIN"},
		{"a policy's allow, the local cluster isn't known", in, "", []model.Policy{{Services: []string{"*/*"}, Allow: []string{"west"}}}, []part{eastHas}, overset, dns.TypeA, "SERVFAIL Prohibited"},
		{"exports marked, without data", marked, "east", nil, []part{eastHasNot, {west, nil, westByDNS}}, overset, dns.TypeA, "SERVFAIL No Reachable Authority"},
		{"exports marked, stale, its DNS has it", marked, "east", nil, []part{eastHasNot, {west, hasStale, westByDNS}}, overset, dns.TypeA, "NOERROR 10.2.0.9"},
		{"mode forward", forward, "east", nil, []part{{east, nil, byDNS()}, {west, nil, westByDNS}}, overset, dns.TypeA, "NOERROR 10.2.0.9"},

		// addresses
		{"the local cluster's reach is for others", in, "east", nil, []part{{cluster("east", "10.1.0.0/16", func(c *model.Cluster) { c.Reach = []model.Reach{model.ReachGateways} }), eastHas.view, nil}}, overset, dns.TypeA, "NOERROR 10.1.0.1"},
		{"no gateway of the service's family", in, "east", nil, []part{eastHasNot, {gateways("2001:db8::2"), has, nil}}, overset, dns.TypeA, "SERVFAIL Filtered"},
		{"gateways of the service's family alone", in, "east", nil, []part{eastHasNot, {gateways("2001:db8::2", "203.0.113.2"), has, nil}}, overset, dns.TypeAAAA, "NOERROR"},
		{"by DNS, of another network without gateway", in, "east", nil, []part{eastHasNot, {far, nil, westByDNS}}, overset, dns.TypeA, "SERVFAIL Filtered"},
		{"by DNS, of another network without gateway, preferred", in, "east", []model.Policy{{Services: []string{"*/*"}, Failover: []string{"west", "east"}}}, []part{eastHas, {far, nil, westByDNS}}, overset, dns.TypeA, "NOERROR 10.1.0.1"},
		{"of another network, an address of a member here", in, "east", nil, []part{eastHasNot, {far, exports(1, 0, func(s *model.Service) {
			s.Outside = &model.Outside{LoadBalancers: []netip.Addr{netip.MustParseAddr("10.1.0.9")}}
		}, "10.2.0.1"), nil}}, overset, dns.TypeA, "SERVFAIL Filtered"},
		{"no ports", in, "east", nil, []part{{east, exports(1, 0, func(s *model.Service) { s.Ports = nil }, "10.1.0.1"), nil}}, overset, dns.TypeA, "NOERROR 10.1.0.1"},

		// by DNS
		{"by DNS, an ExternalName that leads nowhere", in, "east", nil, []part{eastHasNot, {west, nil, byDNS("web.shop.svc.cluster.local. 5 IN CNAME web.shop.svc.west.lan.")}}, overset, dns.TypeA, "NXDOMAIN"},
		{"by DNS, an SRV record of another name", in, "east", nil, []part{eastHasNot, {west, nil, byDNS("_http._tcp.web.shop.svc.cluster.local. 5 IN SRV 0 100 80 other.shop.svc.cluster.local.")}}, "_http._tcp." + overset, dns.TypeSRV, "NOERROR"},
		{"no such port by data, nor by DNS", in, "", nil, []part{eastHas, {west, nil, byDNS("web.shop.svc.cluster.local. 5 IN A 10.2.0.9")}}, anyPort, dns.TypeSRV, "NXDOMAIN"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newOverset(t, test.o, test.local, test.policies, test.parts...)
			if got := answersOf(askedFrom(t, p, "192.0.2.1", test.qname, test.qtype)); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// TestOversetImports: a stale ServiceImport is used as long as serve_stale says, and stale
// ServiceImports deny nothing. One without IPs says that the name exists.
func TestOversetImports(t *testing.T) {
	noIPs := exports(0, 0, func(s *model.Service) { s.ClusterIPs = nil }, "10.96.0.9")
	for _, test := range []struct {
		name    string
		imports *view
		want    string
		member  *view // nil has nothing
	}{
		{"without IPs", noIPs, "NOERROR", nil},
		{"without IPs, a member exports it", noIPs, "NOERROR 10.1.0.1", exports(1, 0, nil, "10.1.0.1")},
		{"with IPs, a member exports it", exports(0, 0, nil, "10.96.0.9"), "NOERROR 10.96.0.9", exports(1, 0, nil, "10.1.0.1")},
		{"fresh", exports(0, 0, nil, "10.96.0.9"), "NOERROR 10.96.0.9", nil},
		{"stale", exports(0, 0, nil, "10.96.0.9").as(member.Stale, time.Minute), "NOERROR 10.96.0.9 Stale Answer", nil},
		{"too old", exports(0, 0, nil, "10.96.0.9").as(member.Stale, 2*time.Hour), "SERVFAIL No Reachable Authority", nil},
		{"none", nothing(), "NXDOMAIN", nil},
		{"none, stale", nothing().as(member.Stale, time.Minute), "SERVFAIL No Reachable Authority", nil},
		{"unsynced", nothing().as(member.Unsynced, 0), "SERVFAIL Not Ready", nil},
	} {
		p := newOverset(t, oversetOptions(), "east", nil, part{cluster("east", "10.1.0.0/16"), cmp.Or(test.member, nothing()), nil})
		p.resolver.Members().Imports = test.imports
		if got := answersOf(askedFrom(t, p, "192.0.2.1", overset, dns.TypeA)); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// TestOversetTTL: no record of a member's DNS is kept longer than a client has its members.
func TestOversetTTL(t *testing.T) {
	p := newOverset(t, oversetOptions(), "", nil, part{cluster("west", "10.2.0.0/16"), nil,
		zoneOf(t, "web.shop.svc.cluster.local. 3600 IN A 10.2.0.9", "web.shop.svc.cluster.local. 3600 IN SRV 0 100 80 web.shop.svc.cluster.local.")})
	for _, qtype := range []uint16{dns.TypeA, dns.TypeSRV} {
		m := askedFrom(t, p, "192.0.2.1", overset, qtype)
		if len(m.Answer) != 1 || m.Answer[0].Header().Ttl != 5 {
			t.Errorf("%v", m)
		}
	}
}

// TestOversetNextsName: the local cluster's names that the next plugin has, as they are asked
// for here, aren't taken for none.
func TestOversetNextsName(t *testing.T) {
	o := oversetOptions()
	p := newOverset(t, o, "here", nil, part{cluster("here", "10.1.0.0/16", func(c *model.Cluster) { c.ClusterDomain = "here.lan." }), nil, nil})
	p.Next = plugin.HandlerFunc(func(context.Context, dns.ResponseWriter, *dns.Msg) (int, error) { return dns.RcodeRefused, nil })
	p.resolver.Options = p.forResolver()
	if got := answersOf(askedFrom(t, p, "192.0.2.1", overset, dns.TypeA)); got != "SERVFAIL No Reachable Authority" { // without a server to ask
		t.Error(got)
	}

	set := document(t, clusterAt("here", "192.0.2.1", ", clusterDomain: here.lan"))
	zone := "here.lan. 5 IN SOA ns.here.lan. x.here.lan. 1 2 3 4 5\nhere.lan. 5 IN NS ns.here.lan.\nweb.shop.svc.here.lan. 5 IN A 10.101.1.7\n"
	path := filepath.Join(t.TempDir(), "zone")
	if err := os.WriteFile(path, []byte(zone), 0o600); err != nil {
		t.Fatal(err)
	}
	s := startCoreDNS(t, ".:PORT {\nbind 127.77.0.1\nclusterset lan clusterset.local {\nfile "+set+"\nlocal here\nmulticluster clusterset.local\n}\nfile "+path+" here.lan\n}")
	for range 2 {
		m := lookup(t, s.addr, "udp", overset, dns.TypeA)
		withoutEDNS(m)
		if got := answersOf(m); got != "NOERROR 10.101.1.7" {
			t.Error(got)
		}
	}
}

// TestOversetSpent: servers like this one that ask each other for a name come to an end.
func TestOversetSpent(t *testing.T) {
	p := newOverset(t, oversetOptions(), "", nil, part{cluster("east", "10.1.0.0/16"), nil, nil}, part{cluster("west", "10.2.0.0/16"), nil, nil})
	q := new(dns.Msg)
	q.SetQuestion(overset, dns.TypeA)
	q.SetEdns0(1232, false)
	o := q.IsEdns0()
	o.Option = append(o.Option, &dns.EDNS0_LOCAL{Code: hopsOption, Data: []byte{1, 1}})
	w := dnstest.NewRecorder(&test.ResponseWriter{})
	_, err := p.ServeDNS(context.Background(), w, q)
	if w.Msg == nil || w.Msg.Rcode != dns.RcodeRefused || err == nil {
		t.Error(w.Msg, err)
	}
}

// TestOversetLoop: a server that members' DNS asks for the same name again comes to an end.
func TestOversetLoop(t *testing.T) {
	addr := freeAddress(t, "127.77.0.1")
	var asked atomic.Int64
	relay := relayTo(t, addr, &asked)
	clusters := ""
	for i, name := range []string{"east", "west", "north"} {
		clusters += fmt.Sprintf("- {name: %s, serviceCIDRs: [10.%d.0.0/16], dns: [%q], clusterDomain: clusterset.local}\n", name, i, relay)
	}
	startCoreDNS(t, strings.ReplaceAll(`.:PORT {
		bind 127.77.0.1
		clusterset lan clusterset.local {
			file `+document(t, clusters)+`
			multicluster clusterset.local
		}
	}`, "PORT", addr[strings.LastIndexByte(addr, ':')+1:]))
	clustertest.Tries(t, func() error { // a busy machine has queries sent again
		before := asked.Load()
		if m := lookup(t, addr, "udp", overset, dns.TypeA); m.Rcode != dns.RcodeServerFailure {
			t.Error(m)
		}
		if n := asked.Load() - before; n > 8 { // 6: three members here, and what is left of the budget there
			return fmt.Errorf("members were asked %d times", n)
		}
		return nil
	})
}

// TestOversetMany: of many members without data, no question asks more than a bound, and the
// log has of few what went wrong.
func TestOversetMany(t *testing.T) {
	var asked atomic.Int64
	denies := zoneOf(t)
	server := clustertest.Serve(t, func(w dns.ResponseWriter, r *dns.Msg) {
		if strings.HasPrefix(r.Question[0].Name, "web.shop.") && r.Question[0].Qtype == dns.TypeA {
			asked.Add(1)
		}
		denies(w, r)
	})
	const most, all = 256, 300
	parts, servers := make([]part, all), make([]netip.AddrPort, all)
	for i := range parts {
		parts[i], servers[i] = part{cluster(fmt.Sprintf("c%03d", i), fmt.Sprintf("10.%d.%d.0/24", i/250, i%250)), nil, nil}, server.Addr
	}
	p := newOversetAt(t, oversetOptions(), "c299", nil, parts, servers)
	m := askedFrom(t, p, "192.0.2.1", overset, dns.TypeA)
	if got := answersOf(m); got != "SERVFAIL No Reachable Authority" {
		t.Error(got)
	}
	if n := asked.Load(); n > most*3/2 { // some twice: package exchange hedges
		t.Errorf("%d members were asked, want %d", n, most)
	}

	resolve := oversetOptions()
	resolve.mode = model.ModeResolve
	p = newOversetAt(t, resolve, "c299", nil, parts, servers)
	q := new(dns.Msg)
	q.SetQuestion(overset, dns.TypeA)
	if _, err := p.ServeDNS(context.Background(), &test.ResponseWriter{}, q); err == nil || strings.Count(err.Error(), "member") > 8 {
		t.Error(err)
	}
}

// TestOversetDenied: whom a policy doesn't allow a name, the next plugin isn't asked for.
func TestOversetDenied(t *testing.T) {
	o := oversetOptions()
	o.fall.SetZonesFromArgs(nil)
	p := newOverset(t, o, "east", []model.Policy{{Services: []string{"*/*"}, Allow: []string{"west"}}}, part{cluster("east", "10.1.0.0/16"), exports(1, 0, nil, "10.1.0.1"), nil})
	p.Next = plugin.HandlerFunc(func(context.Context, dns.ResponseWriter, *dns.Msg) (int, error) { return dns.RcodeNotImplemented, nil })
	if got := answersOf(askedFrom(t, p, "192.0.2.1", overset, dns.TypeA)); got != "NXDOMAIN Prohibited" {
		t.Error(got)
	}
}
