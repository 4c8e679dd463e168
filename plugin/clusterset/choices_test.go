package clusterset

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin/metadata"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/plugin/test"

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// shown is a query for a name over the whole ClusterSet, and what shows how it was answered.
type shown struct {
	name, qname string
	p           *Clusterset
	// metadata are policy, members and source, and log the part of the line that says who
	// answers.
	metadata, log string
	// counted are the series that it increments.
	counted []prometheus.Counter
}

// shownOverset are queries for which members are chosen in every way, or aren't.
func shownOverset(t *testing.T) []shown {
	east, west, gone := cluster("east", "10.1.0.0/16"), cluster("west", "10.2.0.0/16"), cluster("gone", "10.3.0.0/16")
	far := cluster("far", "10.4.0.0/16", func(c *model.Cluster) { c.Network = "far" })
	here, there := exports(2, 0, nil, "10.1.0.1"), exports(2, 0, nil, "10.2.0.1")
	alike := exports(1, 0, func(s *model.Service) { s.CiliumAffinity = model.AffinityNone }, "10.1.0.1")
	resolve := oversetOptions()
	resolve.mode = model.ModeResolve
	in := func(o options, policies []model.Policy, parts ...part) *Clusterset {
		return newOverset(t, o, "east", policies, parts...)
	}
	to := func(p model.Policy) []model.Policy {
		p.Services = []string{"shop/*"}
		return []model.Policy{p}
	}
	choice := func(cluster, reason string) prometheus.Counter { return choices.WithLabelValues(cluster, reason) }
	replies := func(source, rcode string) prometheus.Counter { return setResponses.WithLabelValues(source, rcode) }
	return []shown{
		{"local", overset, in(resolve, nil, part{east, here, nil}, part{west, there, nil}, part{gone, nothing().as(member.Unsynced, 0), nil}, part{far, there, nil}),
			"default east data", "by default: east in (local), west out (not preferred), far out (it has no address that clients here can reach), gone out (API unreachable)",
			[]prometheus.Counter{choice("east", "local"), replies("data", "NOERROR")}},
		{"several", overset, in(resolve, nil, part{east, alike, nil}, part{west, there, nil}),
			"annotation east,west data", "by annotation: east in (all alike), west in (all alike)",
			[]prometheus.Counter{choice("east", "all_alike"), choice("west", "all_alike"), replies("data", "NOERROR")}},
		{"a policy", overset, in(resolve, to(model.Policy{Failover: []string{"west", "east"}}), part{east, here, nil}, part{west, there, nil}),
			"policy west data", "by policy: east out (not preferred), west in (failover)",
			[]prometheus.Counter{choice("west", "failover"), replies("data", "NOERROR")}},
		{"not the first priority", overset, in(resolve, nil, part{east, exports(0, 2, nil, "10.1.0.1"), nil}, part{west, there, nil}),
			"default west data", "by default: east out (no ready endpoint), west in (spill-over)",
			[]prometheus.Counter{choice("west", "spill_over"), replies("data", "NOERROR")}},
		{"not allowed", overset, in(resolve, to(model.Policy{Allow: []string{"west"}}), part{east, here, nil}, part{west, there, nil}),
			"policy  zone", "by policy", []prometheus.Counter{replies("zone", "NXDOMAIN")}},
		{"nobody has it", overset, in(resolve, nil, part{east, nothing(), nil}),
			"default  data", "by default", []prometheus.Counter{replies("data", "NXDOMAIN")}},
		{"asked by DNS", overset, in(oversetOptions(), nil, part{east, nil, zoneOf(t)}, part{west, nil, zoneOf(t, "web.shop.svc.cluster.local. 5 IN A 10.2.0.1")}),
			"default west forward", "by default: west in (remote)",
			[]prometheus.Counter{choice("west", "remote"), replies("forward", "NOERROR")}},
		{"an endpoint of a member", "10-1-200-0.east." + overset, in(resolve, nil, part{east, exports(1, 0, headlessType, "10.1.0.1"), nil}),
			"- - data", "", []prometheus.Counter{replies("data", "NOERROR")}},
		{"the zone", "clusterset.local.", in(resolve, nil, part{east, here, nil}),
			"- - zone", "", []prometheus.Counter{replies("zone", "NOERROR")}},
	}
}

func headlessType(s *model.Service) { s.Type, s.ClusterIPs = model.Headless, nil }

// TestChosenShown: the metadata, the debug log and the metrics say who was chosen, and why.
func TestChosenShown(t *testing.T) {
	lines := captureLog(t)
	clog.D.Set()
	t.Cleanup(clog.D.Clear)
	for _, a := range shownOverset(t) {
		t.Run(a.name, func(t *testing.T) {
			before := valuesOf(a.counted)
			all := sumOf(t, "coredns_clusterset_choices_total") + sumOf(t, "coredns_clusterset_multicluster_responses_total")
			ctx := metadata.ContextWithMetadata(t.Context())
			q := new(dns.Msg)
			q.SetQuestion(a.qname, dns.TypeA)
			_, _ = a.p.ServeDNS(ctx, &test.ResponseWriter{}, q)
			var values []string
			for _, label := range []string{labelPolicy, labelMembers, labelSource} {
				value := "-"
				if f := metadata.ValueFunc(ctx, label); f != nil {
					value = f()
				}
				values = append(values, value)
			}
			if got := strings.Join(values, " "); got != a.metadata {
				t.Errorf("metadata %q, want %q", got, a.metadata)
			}
			if _, got, _ := strings.Cut(lines.wait(t, a.qname+" A: "), ", "); got != a.log {
				t.Errorf("logged %q, want %q", got, a.log)
			}
			for i, n := range valuesOf(a.counted) {
				if n != before[i]+1 {
					t.Errorf("%s was counted %v times", a.counted[i].Desc(), n-before[i])
				}
			}
			now := sumOf(t, "coredns_clusterset_choices_total") + sumOf(t, "coredns_clusterset_multicluster_responses_total")
			if now-all != float64(len(a.counted)) {
				t.Errorf("counted in %v series, want %d", now-all, len(a.counted))
			}
		})
	}
}

func valuesOf(all []prometheus.Counter) []float64 {
	var values []float64
	for _, c := range all {
		values = append(values, testutil.ToFloat64(c))
	}
	return values
}

// sumOf adds up all series of a counter.
func sumOf(t *testing.T, name string) float64 {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, family := range families {
		if family.GetName() == name {
			for _, metric := range family.GetMetric() {
				sum += metric.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// TestPartsCounted: what members' DNS were asked for a name over the whole ClusterSet is counted
// as theirs, but for replies, of which there is one.
func TestPartsCounted(t *testing.T) {
	o := oversetOptions()
	o.cache = 100
	p := newOverset(t, o, "", nil, part{cluster("east", "10.1.0.0/16"), nil, zoneOf(t, "web.shop.svc.cluster.local. 5 IN A 10.2.0.1")},
		part{cluster("west", "10.2.0.0/16"), nil, zoneOf(t, "web.shop.svc.cluster.local. 5 IN A 10.2.0.1")})
	counted := []prometheus.Counter{guarded.WithLabelValues("east"), responses.WithLabelValues("west", "forward", "NOERROR")}
	before := valuesOf(counted)
	if got, want := answersOf(askedFrom(t, p, "192.0.2.1", overset, dns.TypeA)), "NOERROR 10.2.0.1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	now := valuesOf(counted)
	if now[0] != before[0]+1 || now[1] != before[1] {
		t.Errorf("%v guarded, and %v replies of a member", now[0]-before[0], now[1]-before[1])
	}
}

// TestOversetStaleWaits: what is stale is given where nobody else has the service, not where
// they haven't replied yet.
func TestOversetStaleWaits(t *testing.T) {
	asked := make(chan struct{})
	failing := clustertest.Rcode(dns.RcodeServerFailure)
	var once sync.Once
	near := func(w dns.ResponseWriter, r *dns.Msg) {
		failing(w, r)
		once.Do(func() { close(asked) })
	}
	zone := zoneOf(t, "web.shop.svc.cluster.local. 5 IN A 10.2.0.1")
	far := func(w dns.ResponseWriter, r *dns.Msg) {
		<-asked
		zone(w, r)
	}
	stale := exports(1, 0, nil, "10.1.0.1").as(member.Stale, time.Minute)
	p := newOverset(t, oversetOptions(), "east", nil, part{cluster("east", "10.1.0.0/16"), stale, near}, part{cluster("west", "10.2.0.0/16"), nil, far})
	if got, want := answersOf(askedFrom(t, p, "192.0.2.1", overset, dns.TypeA)), "NOERROR 10.2.0.1"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestOversetLookUpsEnd: a query from a server like this one, with fewer look-ups left than
// there are members to ask.
func TestOversetLookUpsEnd(t *testing.T) {
	p := newOverset(t, oversetOptions(), "", nil, part{cluster("east", "10.1.0.0/16"), nil, zoneOf(t)}, part{cluster("west", "10.2.0.0/16"), nil, zoneOf(t)})
	q := new(dns.Msg)
	q.SetQuestion(overset, dns.TypeA)
	q.SetEdns0(1232, false)
	q.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_LOCAL{Code: hopsOption, Data: []byte{1, 1}}}
	refused := setResponses.WithLabelValues("forward", "REFUSED")
	before := testutil.ToFloat64(refused)
	w := &test.ResponseWriter{}
	if _, err := p.ServeDNS(t.Context(), w, q); err == nil || testutil.ToFloat64(refused) != before+1 {
		t.Errorf("%v, counted %v times", err, testutil.ToFloat64(refused)-before)
	}
}
