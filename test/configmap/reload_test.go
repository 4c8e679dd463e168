//go:build e2e

package configmap

import (
	"errors"
	"net"
	"testing"
	"time"
)

// TestReload: nobody notices that the Corefile is read again.
func TestReload(t *testing.T) {
	a := startAPI(t)
	c1 := startMember(t, "127.0.111.11", "10.101.0.1")
	c2 := startMember(t, "127.0.111.12", "10.102.0.1")
	a.write(one(member(1, c1.addr)))
	s := startServer(t, a.kubeconfig(theConfigMap()))
	s.await(t, seen, who("c1"), "NOERROR "+c1.mark)
	given := int(s.metric(replies("c1", "NOERROR", "forward")))

	load := startLoad(s, who("c1"), 6)
	unchanged := s.probe(who("c1"), "NOERROR "+c1.mark)
	ready := s.watchReady()
	for range 3 {
		s.reload()
	}
	if !load.running() {
		t.Error("the load ended before the reloads did")
	}
	given += load.end() + unchanged.end(t)
	ready.end(t)
	s.awaitMetrics(t, seen, map[string]float64{
		replies("c1", "NOERROR", "forward"): float64(given), configGood: 1, clusters: 1,
	})
	s.noFailures("c1")
	if n := s.logged(takenUp); n != 1 {
		t.Errorf("the ClusterSet was taken up %d times, want once: a reload asks nobody anew", n)
	}
	// The instances that were reloaded away have let go of the member.
	s.awaitMetrics(t, drained, map[string]float64{upstreams("c1", "up"): 1})
	written := a.write(one(member(2, c2.addr)))
	s.await(t, seen, who("c2"), "NOERROR "+c2.mark)
	t.Logf("after reloads, a change is seen after %v", time.Since(written))
	s.noSeries("c1")
}

// watchReady looks at readiness all the time. The ready plugin isn't there for
// a moment while CoreDNS reloads; what it may not say is no.
func (s *server) watchReady() *prober {
	return startProber(func() error {
		err := s.isReady()
		if _, no := errors.AsType[notReadyError](err); no {
			return err
		}
		return nil
	})
}

// TestReloadWithoutAPI: the last good ClusterSet outlives a reload while the API
// server is away.
func TestReloadWithoutAPI(t *testing.T) {
	a := startAPI(t)
	c1 := startMember(t, "127.0.111.11", "10.101.0.1")
	c2 := startMember(t, "127.0.111.12", "10.102.0.1")
	a.write(one(member(1, c1.addr)))
	s := startServer(t, a.kubeconfig(theConfigMap()))
	s.await(t, seen, who("c1"), "NOERROR "+c1.mark)
	served := s.probe(who("c1"), "NOERROR "+c1.mark)
	ready := s.watchReady()
	for _, o := range []struct{ begin, end func(string) }{{a.up.Stop, a.up.Start}, {a.up.Pause, a.up.Resume}} {
		o.begin("api")
		start := time.Now()
		s.reload()
		t.Logf("reload without an API server: %v", time.Since(start))
		s.want(who("c1"), "NOERROR "+c1.mark)
		eventually(t, seen, "ready", s.isReady)
		o.end("api")
	}
	served.end(t)
	ready.end(t)
	a.write(one(member(1, c1.addr), member(2, c2.addr)))
	s.await(t, retried, who("c2"), "NOERROR "+c2.mark)
	s.awaitMetrics(t, seen, map[string]float64{configGood: 1, clusters: 2})
}

// TestFailedReload: a Corefile that can't be put in force leaves nothing of
// itself behind.
func TestFailedReload(t *testing.T) {
	a := startAPI(t)
	c1 := startMember(t, "127.0.111.11", "10.101.0.1")
	a.write(one(member(1, c1.addr)))
	s := startServer(t, a.kubeconfig(theConfigMap()))
	s.await(t, seen, who("c1"), "NOERROR "+c1.mark)
	taken, err := net.Listen("tcp", "127.0.111.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	corefile := s.read("Corefile")
	// The plugins are started before the listeners are.
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	s.write("Corefile", corefile+".:"+port+" {\n bind 127.0.111.1\n whoami\n}\n")
	s.failToReload()
	eventually(t, seen, "ready", s.isReady)
	s.want(who("c1"), "NOERROR "+c1.mark)
	a.write(one(member(2, c1.addr)))
	s.await(t, seen, who("c1"), unknown)
	s.noSeries("c1")
	s.awaitMetrics(t, seen, map[string]float64{upstreams("c2", "up"): 1, clusters: 1})
}
