//go:build e2e

package configmap

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// TestReload: nobody notices that the Corefile is read again.
func TestReload(t *testing.T) {
	a, c1, s := startServing(t)
	c2 := startMember(t, "127.0.111.12", "10.102.0.1")
	given := int(s.Metric(harness.Responses("c1", "NOERROR", "forward")))

	load := s.StartLoad(t, rate, 6*time.Second, who("c1"))
	unchanged := s.Probe(who("c1"), answer(c1.mark))
	ready := s.watchReady()
	for range 3 {
		s.Reload()
	}
	load.During(t, "the reloads")
	given += load.End(t) + unchanged.End(t)
	ready.End(t)
	s.AwaitMetrics(t, seen, map[string]float64{
		harness.Responses("c1", "NOERROR", "forward"): float64(given), configGood: 1, clusters: 1,
	})
	s.noFailures(t, "c1", c1.Addr)
	if n := s.Logged(takenUp); n != 1 {
		t.Errorf("the ClusterSet was read %d times, want once: a reload asks nobody anew", n)
	}
	// The instances that were harness.Reloaded away have let go of the member.
	s.AwaitMetrics(t, harness.Drained, map[string]float64{upstreams("c1", "up"): 1})
	written := a.write(one(member(2, c2.Addr)))
	s.Await(t, seen, who("c2"), answer(c2.mark))
	t.Logf("after reloads, a change is seen after %v", time.Since(written))
	s.AwaitNoSeries(t, "c1")
}

// watchReady looks at readiness all the time. The ready plugin isn't there for
// a moment while CoreDNS reloads; what it may not say is no.
func (s *server) watchReady() *harness.Prober {
	return harness.Probe(func() error {
		err := s.IsReady()
		if _, no := errors.AsType[harness.NotReadyError](err); no {
			return err
		}
		return nil
	})
}

// TestReloadWithoutAPI: the last good ClusterSet outlives a reload while the API
// server is away.
func TestReloadWithoutAPI(t *testing.T) {
	a, c1, s := startServing(t)
	c2 := startMember(t, "127.0.111.12", "10.102.0.1")
	served := s.Probe(who("c1"), answer(c1.mark))
	ready := s.watchReady()
	for _, o := range []struct{ begin, end func(string) }{{a.up.Stop, a.up.Start}, {a.up.Pause, a.up.Resume}} {
		o.begin("api")
		start := time.Now()
		s.Reload()
		t.Logf("reload without an API server: %v", time.Since(start))
		s.Want(t, who("c1"), answer(c1.mark))
		harness.Eventually(t, seen, "ready", s.IsReady)
		o.end("api")
	}
	served.End(t)
	ready.End(t)
	a.write(one(member(1, c1.Addr), member(2, c2.Addr)))
	s.Await(t, retried, who("c2"), answer(c2.mark))
	s.AwaitMetrics(t, seen, map[string]float64{configGood: 1, clusters: 2})
}

// TestFailedReload: a Corefile that can't be put in force leaves nothing of
// itself behind.
func TestFailedReload(t *testing.T) {
	a, c1, s := startServing(t)
	taken, err := net.Listen("tcp", "127.0.111.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	corefile := s.Read("Corefile")
	// The plugins are started before the listeners are.
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	s.Write("Corefile", corefile+".:"+port+" {\n bind 127.0.111.1\n whoami\n}\n")
	s.FailToReload()
	harness.Eventually(t, seen, "ready", s.IsReady)
	s.Want(t, who("c1"), answer(c1.mark))
	a.write(one(member(2, c1.Addr)))
	s.Await(t, seen, who("c1"), unknown)
	s.AwaitNoSeries(t, "c1")
	s.AwaitMetrics(t, seen, map[string]float64{upstreams("c2", "up"): 1, clusters: 1})
}
