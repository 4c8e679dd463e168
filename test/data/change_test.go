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
		before := map[string]float64{"c1": s.metric(lists("c1")), "c2": s.metric(lists("c2"))}
		for range 3 {
			s.reload()
		}
		s.set(both[0], both[1], third)
		s.awaitClusters(t, 3)
		s.set(otherDNS, both[1])
		s.awaitClusters(t, 2)
		s.set(both[1], both[0])
		s.reload()
		for member, n := range before {
			if got := s.metric(lists(member)); n < 1 || got != n {
				t.Errorf("%s: %s listed %v times, %v before", s.mode, member, got, n)
			}
			s.awaitState(t, 0, member, fresh)
		}
		s.set(both[0])
		s.await(t, seen, name(who, "c2"), missing)
		s.awaitNoSeries(t, "c2")
		s.awaitState(t, 0, "c1", fresh)
	}
	served(t)
}

// awaitClusters waits until so many members are in force.
func (s *server) awaitClusters(t *testing.T, want float64) {
	t.Helper()
	eventually(t, seen, s.mode+": ClusterSet", func() error {
		if got := s.metric("coredns_clusterset_clusters"); got != want {
			return fmt.Errorf("%v clusters, want %v", got, want)
		}
		return nil
	})
}

const (
	// churn is how often a member with data comes and goes.
	churn = 30
	// closed bounds the time until what the members that left had is closed:
	// they are drained for 5 s, and an idle socket to a DNS server is kept for
	// up to 20.
	closed = 25 * time.Second
	// goroutineSlack and fileSlack are for what the Go runtime and a scrape have
	// at one moment and not at another.
	goroutineSlack, fileSlack = 3, 2
)

// TestNothingLeft: members with data that come, answer, and go, leave no
// goroutine, no socket and no series.
func TestNothingLeft(t *testing.T) {
	clusters := startClusters(t, 2)
	c1, c2 := clusters[0], clusters[1]
	s := startServer(t, auto, entries(c1)...)
	s.await(t, seen, name(who, "c1"), fromData(c1.ip(1)))
	goroutines, files := s.metric("go_goroutines"), s.openFiles()
	start := time.Now()
	for i := range churn {
		added := entries(c2)[0]
		added.name = fmt.Sprintf("x%d", i)
		s.set(entries(c1)[0], added)
		s.await(t, recovered, name(who, added.name), fromData(c2.ip(1)))
		s.set(entries(c1)[0])
		s.await(t, seen, name(who, added.name), missing)
	}
	t.Logf("%d members came and went in %v; goroutines before %v, after %v; files before %d, after %d",
		churn, time.Since(start), goroutines, s.metric("go_goroutines"), files, s.openFiles())
	took := eventually(t, closed, "back to the beginning", func() error {
		g, f := s.metric("go_goroutines"), s.openFiles()
		if g > goroutines+goroutineSlack || f > files+fileSlack {
			return fmt.Errorf("%v goroutines, %v before; %d files, %d before", g, goroutines, f, files)
		}
		return nil
	})
	t.Logf("back to the beginning after %v", took)
	for i := range churn {
		s.awaitNoSeries(t, fmt.Sprintf("x%d", i))
	}
}
