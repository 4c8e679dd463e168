package clusterset

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// setOf is a ClusterSet of so many members, all of them of that domain.
func setOf(members int, domain string) *model.ClusterSet {
	set := &model.ClusterSet{}
	for i := range members {
		set.Clusters = append(set.Clusters, &model.Cluster{
			Name: fmt.Sprintf("c%d", i), Network: "default", ClusterDomain: domain,
			ServiceCIDRs: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i)}), 24)},
			DNS:          []model.Upstream{{Scheme: model.DNS, Addr: netip.MustParseAddrPort("127.77.0.9:1")}},
		})
	}
	return set
}

// TestFlapping: a ClusterSet that changes all the time doesn't keep members without end;
// what it is in the end is in force once those before are drained. A change now and then
// is in force at once, and so are several in a row.
func TestFlapping(t *testing.T) {
	for _, test := range []struct{ members, changes, atOnce int }{
		{1, 20, 20},
		{1, 1000, maxDraining},
		{300, drainingTimes, drainingTimes},
		{300, 50, drainingTimes},
	} {
		t.Run(fmt.Sprint(test.members, " members, ", test.changes, " changes"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := defaultOptions()
				var last atomic.Pointer[snapshot] // timers publish as well
				var published atomic.Int64
				b := newBuilder(&o, nil, func(s *snapshot) {
					last.Store(s)
					published.Add(1)
				})
				b.setClusterSet(setOf(test.members, "first.example."))
				domain := ""
				for i := range test.changes {
					domain = fmt.Sprintf("n%d.example.", i)
					b.setClusterSet(setOf(test.members, domain))
				}
				if n := published.Load(); n != int64(1+test.atOnce) {
					t.Errorf("%d changes in force at once, want %d", n-1, test.atOnce)
				}
				drain := func() {
					time.Sleep(drainTime)
					synctest.Wait()
				}
				drain()
				if got := last.Load().members["c0"].ClusterDomain; got != domain || len(last.Load().members) != test.members {
					t.Errorf("in force is %s, want %s", got, domain)
				}
				drain()
				before := published.Load()
				b.setClusterSet(setOf(test.members, "rare.example."))
				if published.Load() != before+1 {
					t.Error("a rare change isn't in force at once")
				}
				b.close()
				drain()
			})
		})
	}
}

// TestSeriesOfUpstreams: a member that stays has the series of its upstreams now, however
// often they were others.
func TestSeriesOfUpstreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := defaultOptions()
		b := newBuilder(&o, nil, func(*snapshot) {})
		drain := func() {
			time.Sleep(drainTime)
			synctest.Wait()
		}
		want := 0
		for i := range 5 {
			set := setOf(1, "cluster.local.")
			m := set.Clusters[0]
			m.Name = "moving"
			m.DNS = append(m.DNS, model.Upstream{Scheme: model.DNS, Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 77, 1, byte(i)}), 1)})
			b.setClusterSet(set)
			if i == 0 {
				want = seriesOf(t, "moving")
			}
		}
		drain()
		if got := seriesOf(t, "moving"); got != want {
			t.Errorf("%d series, want %d", got, want)
		}
		b.close()
		drain()
		if got := seriesOf(t, "moving"); got != 0 {
			t.Errorf("%d series are left", got)
		}
	})
}
