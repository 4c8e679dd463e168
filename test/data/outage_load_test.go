//go:build e2e

package data

import (
	"fmt"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// aroundOutage is what a load lasts beyond the outage: an API server takes some
// seconds to start, and data may take 5 to be fresh again.
const aroundOutage = 15 * time.Second

// TestOutageUnderLoad: the API of one member is away for two minutes, while names
// of all members are asked: every query is answered, and rightly. The members'
// DNS is CoreDNS with its kubernetes plugin, as in real life, so that all of a
// member's sources have the same address for a name.
func TestOutageUnderLoad(t *testing.T) {
	clusters := startClusters(t, 2)
	c1, c2 := clusters[0], clusters[1]
	var names []string
	for _, c := range clusters {
		c.dns = startKubernetes(t, c)
		names = append(names, name(who, c.name), name(pods, c.name))
	}
	servers := startBoth(t, entries(clusters...)...)
	lasts := outageUnderLoad()
	var loads []*harness.Load
	var probers []*harness.Prober
	for _, s := range servers {
		for _, c := range clusters {
			s.Await(t, settled, name(pods, c.name), fromData(c.podIP()))
		}
		loads = append(loads, s.StartLoad(t, rate, lasts+aroundOutage, names...))
		elsewhere := stale(c1.ip(1))
		if s.mode == auto {
			elsewhere = fromDNS(c1.ip(1))
		}
		probers = append(probers,
			s.Probe(name(who, "c1"), fromData(c1.ip(1)), elsewhere),
			s.Probe(name(who, "c2"), fromData(c2.ip(1))),
			s.Probe(name(pods, "c2"), fromData(c2.podIP())))
	}

	c1.up.Stop("c1")
	for _, s := range servers {
		t.Logf("%s: stale after %v", s.mode, s.awaitState(t, noticed, "c1", old))
	}
	harness.Throughout(t, lasts, "stale", func() error { return allIn(servers, "c1", old) })
	c1.up.Start("c1")
	back := time.Now()
	for _, s := range servers {
		s.awaitState(t, recovered-time.Since(back), "c1", fresh)
		s.Await(t, recovered-time.Since(back), name(who, "c1"), fromData(c1.ip(1)))
		t.Logf("%s: fresh after %v", s.mode, time.Since(back))
	}

	for _, l := range loads {
		l.During(t, "the outage")
	}
	for _, l := range loads {
		l.End(t)
	}
	for _, p := range probers {
		p.End(t)
	}
}

// allIn is nil where the member's data are in that state in all servers.
func allIn(servers []*server, member, want string) error {
	for _, s := range servers {
		series, err := s.Scrape()
		if err != nil {
			return err
		}
		if series[state(member, want)] != 1 {
			return fmt.Errorf("%s: %s isn't %s", s.mode, member, want)
		}
	}
	return nil
}
