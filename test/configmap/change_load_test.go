//go:build e2e

package configmap

import (
	"slices"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// changesUnderLoad is how often the ConfigMap is changed while a member is
// asked.
const changesUnderLoad = 20

// TestChangeUnderLoad: whatever happens to other members, one that isn't changed
// answers every query.
func TestChangeUnderLoad(t *testing.T) {
	a, c1, s := startServing(t)
	old := startMember(t, "127.0.111.12", "10.102.0.1")
	moved := startMember(t, "127.0.111.13", "10.102.0.2")
	given := int(s.Metric(harness.Responses("c1", "NOERROR", "forward")))

	load := s.StartLoad(t, rate, 8*time.Second, who("c1"))
	unchanged := s.Probe(who("c1"), answer(c1.mark))
	cycle := []struct {
		members []entry
		reply   string
	}{
		{[]entry{member(1, c1.Addr), member(2, old.Addr)}, answer("10.102.0.1")},
		{[]entry{member(3, old.Addr), member(2, moved.Addr), member(1, c1.Addr)}, answer("10.102.0.2")},
		{[]entry{member(1, c1.Addr)}, unknown},
	}
	var took []time.Duration
	for i := range changesUnderLoad {
		step := cycle[i%len(cycle)]
		written := a.write(one(step.members...))
		s.Await(t, seen, who("c2"), step.reply)
		took = append(took, time.Since(written))
	}
	load.During(t, "the changes")
	slices.Sort(took)
	t.Logf("ConfigMap changed -> answer changed, under load: median %v, p99 %v", took[len(took)/2], took[len(took)-1])

	given += load.End(t) + unchanged.End(t)
	s.AwaitMetrics(t, seen, map[string]float64{harness.Responses("c1", "NOERROR", "forward"): float64(given), configGood: 1})
	s.noFailures(t, "c1", c1.Addr)
}
