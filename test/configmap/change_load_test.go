//go:build e2e

package configmap

import (
	"slices"
	"testing"
	"time"
)

// changesUnderLoad is how often the ConfigMap is changed while a member is
// asked.
const changesUnderLoad = 20

// TestChangeUnderLoad: whatever happens to other members, one that isn't changed
// answers every query.
func TestChangeUnderLoad(t *testing.T) {
	a := startAPI(t)
	c1 := startMember(t, "127.0.111.11", "10.101.0.1")
	old := startMember(t, "127.0.111.12", "10.102.0.1")
	moved := startMember(t, "127.0.111.13", "10.102.0.2")
	a.write(one(member(1, c1.addr)))
	s := startServer(t, a.kubeconfig(theConfigMap()))
	s.await(t, seen, who("c1"), "NOERROR "+c1.mark)
	given := int(s.metric(replies("c1", "NOERROR", "forward")))

	load := startLoad(s, who("c1"), 8)
	unchanged := s.probe(who("c1"), "NOERROR "+c1.mark)
	cycle := []struct {
		members []entry
		reply   string
	}{
		{[]entry{member(1, c1.addr), member(2, old.addr)}, "NOERROR 10.102.0.1"},
		{[]entry{member(3, old.addr), member(2, moved.addr), member(1, c1.addr)}, "NOERROR 10.102.0.2"},
		{[]entry{member(1, c1.addr)}, unknown},
	}
	var took []time.Duration
	for i := range changesUnderLoad {
		step := cycle[i%len(cycle)]
		written := a.write(one(step.members...))
		s.await(t, seen, who("c2"), step.reply)
		took = append(took, time.Since(written))
	}
	if !load.running() {
		t.Error("the load ended before the changes did")
	}
	slices.Sort(took)
	t.Logf("ConfigMap changed -> answer changed, under load: median %v, p99 %v", took[len(took)/2], took[len(took)-1])

	given += load.end() + unchanged.end(t)
	s.awaitMetrics(t, seen, map[string]float64{replies("c1", "NOERROR", "forward"): float64(given), configGood: 1})
	s.noFailures("c1")
}

// noFailures checks that no attempt at a member's upstreams failed.
func (s *server) noFailures(member string) {
	s.t.Helper()
	for _, reason := range []string{"no_reply", "unreachable", "bad_reply", "canceled"} {
		name := `coredns_clusterset_upstream_failures_total{cluster="` + member + `",reason="` + reason + `"}`
		if n := s.metric(name); n != 0 {
			s.t.Errorf("%s: %v, want 0", name, n)
		}
	}
}
