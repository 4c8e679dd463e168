package clusterset

import (
	"context"
	"testing"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// serverOf is a CoreDNS in which look-ups within it are answered so.
func serverOf(tb testing.TB, handler dns.HandlerFunc) *dnsserver.Server {
	tb.Helper()
	config := &dnsserver.Config{Zone: ".", Transport: "dns", ListenHosts: []string{""}, Port: "0"}
	config.AddPlugin(func(plugin.Handler) plugin.Handler {
		return plugin.HandlerFunc(func(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
			handler(w, r)
			return dns.RcodeSuccess, nil
		})
	})
	server, err := dnsserver.NewServer("dns://127.0.0.1:0", []*dnsserver.Config{config})
	if err != nil {
		tb.Fatal(err)
	}
	return server
}

// TestHostnames: load balancers that have a name. One that is the whole answer is an alias;
// beside others its addresses are looked up, and nobody waits for long.
func TestHostnames(t *testing.T) {
	balanced := func(names ...string) func(*model.Service) {
		return func(s *model.Service) { s.Outside = &model.Outside{Hostnames: names} }
	}
	clusterAt := func(name, cidr string) model.Cluster {
		return cluster(name, cidr, func(c *model.Cluster) { c.Reach = []model.Reach{model.ReachLoadBalancers} })
	}
	east := func(names ...string) part {
		return part{clusterAt("east", "10.1.0.0/16"), exports(1, 0, balanced(names...), "10.1.0.1"), nil}
	}
	west := func(names ...string) part {
		return part{clusterAt("west", "10.2.0.0/16"), exports(1, 0, balanced(names...), "10.2.0.1"), nil}
	}
	north := part{cluster("north", "10.3.0.0/16"), nil, zoneOf(t, "web.shop.svc.cluster.local. 5 IN A 10.3.0.1")}
	known := clustertest.Zone(t, `example. 5 IN SOA ns.example. hostmaster.example. 1 2 3 4 5
lb1.example. 5 IN A 198.51.100.1
metadata.example. 5 IN A 169.254.169.254
east.example. 5 IN A 10.1.0.9
`)
	over := make(chan struct{})
	defer close(over)
	server := serverOf(t, func(w dns.ResponseWriter, r *dns.Msg) {
		switch r.Question[0].Name {
		case "fails.example.":
			_ = w.WriteMsg(new(dns.Msg).SetRcode(r, dns.RcodeServerFailure))
		case "hangs.example.":
			<-over
		case "lb2.example.":
			m := new(dns.Msg).SetReply(r)
			if m.Answer = rrs("lb2.example. 2 IN CNAME lb3.example."); r.Question[0].Qtype == dns.TypeA {
				m.Answer = append(m.Answer, rrs("lb3.example. 2 IN A 198.51.100.3")...)
			}
			_ = w.WriteMsg(m)
		default:
			known(w, r)
		}
	})
	for _, tt := range []struct {
		name  string
		qtype uint16
		parts []part
		want  string
	}{
		{"alias", dns.TypeA, []part{east("LB1.example")}, "NOERROR 198.51.100.1,lb1.example."},
		{"alias of an alias", dns.TypeA, []part{east("lb2.example")}, "NOERROR 198.51.100.3,lb2.example.,lb3.example."},
		{"alias without such addresses", dns.TypeAAAA, []part{east("lb1.example")}, "NOERROR lb1.example."},
		{"alias asked for", dns.TypeCNAME, []part{east("lb1.example")}, "NOERROR lb1.example."},
		{"alias that doesn't exist", dns.TypeA, []part{east("none.example")}, "NXDOMAIN none.example."},
		{"alias that fails", dns.TypeA, []part{east("fails.example")}, "SERVFAIL fails.example."},
		{"alias to a metadata service", dns.TypeA, []part{east("metadata.example")}, "SERVFAIL Filtered"},
		{"alias to another member", dns.TypeA, []part{west("east.example"), {clusterAt("east", "10.1.0.0/16"), nothing(), nil}}, "SERVFAIL Filtered"},
		{"SRV names it", dns.TypeSRV, []part{east("lb1.example")}, "NOERROR 0 100 80 lb1.example."},
		{"two names", dns.TypeA, []part{east("lb1.example", "lb2.example")}, "NOERROR 198.51.100.1,198.51.100.3"},
		{"two members", dns.TypeA, []part{east("lb1.example"), west("lb2.example")}, "NOERROR 198.51.100.1,198.51.100.3"},
		{"two members, one doesn't exist", dns.TypeA, []part{east("lb1.example"), west("none.example")}, "NOERROR 198.51.100.1"},
		{"two members, both fail", dns.TypeA, []part{east("fails.example"), west("fails.example")}, "SERVFAIL No Reachable Authority"},
		{"two members, metadata", dns.TypeA, []part{east("lb1.example"), west("metadata.example")}, "NOERROR 198.51.100.1"},
		{"two members, no such addresses", dns.TypeAAAA, []part{east("lb1.example"), west("lb2.example")}, "NOERROR"},
		{"two members, no alias", dns.TypeCNAME, []part{east("lb1.example"), west("lb2.example")}, "NOERROR"},
		{"beside DNS", dns.TypeA, []part{east("lb1.example"), north}, "NOERROR 10.3.0.1,198.51.100.1"},
		{"beside DNS, it hangs", dns.TypeA, []part{east("hangs.example"), north}, "NOERROR 10.3.0.1"},
		{"no name", dns.TypeA, []part{east("lb1..example")}, "SERVFAIL Filtered"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newOverset(t, oversetOptions(), "", nil, tt.parts...)
			q := new(dns.Msg).SetQuestion(overset, tt.qtype).SetEdns0(1232, false)
			w := dnstest.NewRecorder(&test.ResponseWriter{})
			start := time.Now()
			if _, err := p.ServeDNS(context.WithValue(context.Background(), dnsserver.Key{}, server), w, q); err != nil {
				t.Log(err)
			}
			if got := answersOf(w.Msg); got != tt.want {
				t.Errorf("%s, want %s; the reply:\n%s", got, tt.want, w.Msg)
			}
			if took := time.Since(start); took > inTime/2 {
				t.Errorf("answered after %v", took)
			}
		})
	}
}
