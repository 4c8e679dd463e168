package members

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
				var last atomic.Pointer[Set] // timers publish as well
				var published atomic.Int64
				b := NewManager(testOptions(func(s *Set) {
					last.Store(s)
					published.Add(1)
				}))
				b.SetClusterSet(setOf(test.members, "first.example."))
				domain := ""
				for i := range test.changes {
					domain = fmt.Sprintf("n%d.example.", i)
					b.SetClusterSet(setOf(test.members, domain))
				}
				if n := published.Load(); n != int64(1+test.atOnce) {
					t.Errorf("%d changes in force at once, want %d", n-1, test.atOnce)
				}
				drain := func() {
					time.Sleep(DrainTime)
					synctest.Wait()
				}
				drain()
				if got := last.Load().Member("c0").ClusterDomain; got != domain || len(last.Load().All()) != test.members {
					t.Errorf("in force is %s, want %s", got, domain)
				}
				drain()
				before := published.Load()
				b.SetClusterSet(setOf(test.members, "rare.example."))
				if published.Load() != before+1 {
					t.Error("a rare change isn't in force at once")
				}
				b.Close()
				b.Wait()
			})
		})
	}
}
