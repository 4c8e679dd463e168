package clusterset

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/selection"
)

// TestSeriesLeave: a member that leaves takes all its series along.
func TestSeriesLeave(t *testing.T) {
	m := acquireSeries("leaving")
	for source := range m.responses {
		for rcode := range 30 {
			m.bind(question.Source(source), min(rcode, rcodes))
		}
	}
	for why := range m.choices {
		m.bindChoice(selection.Reason(why))
	}
	m.data()
	m.exchange.Upstream(model.Upstream{Scheme: model.DoT, Addr: netip.MustParseAddrPort("[fd00::1]:853")})
	m.exchange.Upstream(model.Upstream{Scheme: model.DNS, Addr: netip.MustParseAddrPort("10.0.0.1:53")})
	if n := seriesOf(t, "leaving"); n < 100 {
		t.Fatalf("%d series", n)
	}
	m.Release()
	if n := seriesOf(t, "leaving"); n != 0 {
		t.Errorf("%d series are left", n)
	}
}

// seriesOf counts a member's series.
func seriesOf(t testing.TB, cluster string) int {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetName() == "cluster" && label.GetValue() == cluster {
					n++
				}
			}
		}
	}
	return n
}

// BenchmarkLeave is a member that comes and leaves, among so many others.
func BenchmarkLeave(b *testing.B) {
	for _, others := range []int{0, 1000} {
		b.Run(fmt.Sprint(others), func(b *testing.B) {
			var all []*memberMetrics
			for i := range others {
				all = append(all, acquireSeries(fmt.Sprintf("other%d", i)))
			}
			for b.Loop() {
				acquireSeries("leaving").Release()
			}
			for _, m := range all {
				m.Release()
			}
		})
	}
}

// TestSeriesOfUpstreams: a member that stays has the series of its upstreams now, however
// often they were others.
func TestSeriesOfUpstreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &Clusterset{zones: []string{"lan."}, options: defaultOptions()}
		b := members.NewManager(p.forMembers())
		drain := func() {
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		want := 0
		for i := range 5 {
			m := fuzzCluster("c1", "")
			m.Name = "moving"
			set := &model.ClusterSet{Clusters: []*model.Cluster{m}}
			m.DNS = append(m.DNS, model.Upstream{Scheme: model.DNS, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 77, 1, byte(i)}), 1)})
			b.SetClusterSet(set)
			if i == 0 {
				want = seriesOf(t, "moving")
			}
		}
		drain()
		if got := seriesOf(t, "moving"); got != want {
			t.Errorf("%d series, want %d", got, want)
		}
		b.Close()
		drain()
		if got := seriesOf(t, "moving"); got != 0 {
			t.Errorf("%d series are left", got)
		}
	})
}
