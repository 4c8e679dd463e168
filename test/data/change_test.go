//go:build e2e

package data

import (
	"fmt"
	"testing"
	"time"
)

// TestNothingListedAnew: neither a reload of the Corefile nor a change of the
// ClusterSet costs a member's API anything, and its names are answered from data
// all the time.
func TestNothingListedAnew(t *testing.T) {
	clusters := startClusters(t, 2)
	c1, c2 := clusters[0], clusters[1]
	both := entries(c1, c2)
	servers := startBoth(t, both...)
	otherDNS := both[0]
	otherDNS.dns = c2.dns
	third := entry{"c3", 3, c2.dns, ""}
	served := probeAll(servers, c1, true)
	for _, s := range servers {
		before := map[string]float64{"c1": s.Metric(lists("c1")), "c2": s.Metric(lists("c2"))}
		for range 3 {
			s.Reload()
		}
		s.set(both[0], both[1], third)
		s.AwaitMetrics(t, seen, map[string]float64{"coredns_clusterset_clusters": 3})
		s.set(otherDNS, both[1])
		s.AwaitMetrics(t, seen, map[string]float64{"coredns_clusterset_clusters": 2})
		s.set(both[1], both[0])
		s.Reload()
		for member, n := range before {
			if got := s.Metric(lists(member)); n < 1 || got != n {
				t.Errorf("%s: %s listed %v times, %v before", s.mode, member, got, n)
			}
			s.awaitState(t, 0, member, fresh)
		}
		s.set(both[0])
		s.Await(t, seen, name(who, "c2"), missing)
		s.AwaitNoSeries(t, "c2")
		s.awaitState(t, 0, "c1", fresh)
	}
	served(t)
}

// churn is how often a member with data comes and goes.
const churn = 30

// TestNothingLeft: members with data that come, answer, and go, leave no
// goroutine, no socket and no series.
func TestNothingLeft(t *testing.T) {
	clusters := startClusters(t, 2)
	c1, c2 := clusters[0], clusters[1]
	s := startServer(t, auto, entries(c1)...)
	s.Await(t, seen, name(who, "c1"), fromData(c1.ip(1)))
	before, start := s.Resources(), time.Now()
	for i := range churn {
		added := entries(c2)[0]
		added.name = fmt.Sprintf("x%d", i)
		s.set(entries(c1)[0], added)
		s.Await(t, recovered, name(who, added.name), fromData(c2.ip(1)))
		s.set(entries(c1)[0])
		s.Await(t, seen, name(who, added.name), missing)
	}
	t.Logf("%d members came and went in %v", churn, time.Since(start))
	s.AwaitReleased(t, before)
	for i := range churn {
		s.AwaitNoSeries(t, fmt.Sprintf("x%d", i))
	}
}
