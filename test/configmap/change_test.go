//go:build e2e

package configmap

import (
	"fmt"
	"testing"
	"time"
)

// drained bounds the time until what left has left no trace: the plugin keeps it
// 5 s for queries under way.
const drained = 8 * time.Second

// TestChange takes a member through its life, beside one that never changes.
func TestChange(t *testing.T) {
	a := startAPI(t)
	c1 := startMember(t, "127.0.111.11", "10.101.0.1")
	old := startMember(t, "127.0.111.12", "10.102.0.1")
	moved := startMember(t, "127.0.111.13", "10.102.0.2")
	a.write(one(member(1, c1.addr)))
	s := startServer(t, a.kubeconfig(theConfigMap()))
	s.await(t, seen, who("c1"), "NOERROR "+c1.mark)
	unchanged := s.probe(who("c1"), "NOERROR "+c1.mark)

	steps := []struct {
		what    string
		members []entry
		reply   string
		reverse string // of the member's address
	}{
		{"added", []entry{member(1, c1.addr), member(2, old.addr)}, "NOERROR 10.102.0.1", "10.102.0.1"},
		{"changed", []entry{member(1, c1.addr), member(2, moved.addr)}, "NOERROR 10.102.0.2", "10.102.0.2"},
		{"moved to the front", []entry{member(2, moved.addr), member(1, c1.addr)}, "NOERROR 10.102.0.2", "10.102.0.2"},
		{"removed", []entry{member(1, c1.addr)}, unknown, ""},
	}
	s.want(who("c2"), unknown)
	for _, step := range steps {
		written := a.write(one(step.members...))
		s.await(t, seen, who("c2"), step.reply)
		t.Logf("%s: seen after %v", step.what, time.Since(written))
		s.awaitMetrics(t, seen, map[string]float64{configGood: 1, clusters: float64(len(step.members))})
		if step.reverse != "" {
			s.want(reverseName(t, step.reverse), "NOERROR who.default.svc.c2.lan.")
		}
	}
	s.noSeries("c2")
	s.awaitMetrics(t, seen, map[string]float64{upstreams("c1", "up"): 1, upstreams("c1", "down"): 0})
	asked := unchanged.end(t) + 1 // and the first one
	if counted := s.metric(replies("c1", "NOERROR", "forward")); counted < float64(asked) {
		t.Errorf("c1: %v replies counted, %d given: its series began anew", counted, asked)
	}
	if n := s.logged(reloaded); n != 0 {
		t.Errorf("%d reloads", n)
	}
}

// noSeries waits until a member that left has no series any more.
func (s *server) noSeries(member string) {
	s.t.Helper()
	eventually(s.t, drained, "series of "+member, func() error {
		if left := s.seriesOf(member); len(left) > 0 {
			return fmt.Errorf("still there: %q", left)
		}
		return nil
	})
}

// TestKeys: the documents of several keys are one ClusterSet.
func TestKeys(t *testing.T) {
	a := startAPI(t)
	c1 := startMember(t, "127.0.111.11", "10.101.0.1")
	c2 := startMember(t, "127.0.111.12", "10.102.0.1")
	first, second := document(member(1, c1.addr)), document(member(2, c2.addr))
	s := startServer(t, a.kubeconfig(theConfigMap()))
	const in1, in2 = "NOERROR 10.101.0.1", "NOERROR 10.102.0.1"
	tests := []struct {
		name   string
		data   map[string]string
		c1, c2 string
		count  float64
	}{
		{"one", map[string]string{"c1.yaml": first}, in1, unknown, 1},
		{"two", map[string]string{"c1.yaml": first, "c2.yaml": second}, in1, in2, 2},
		{"another key", map[string]string{"other.yaml": second}, unknown, in2, 1},
		{"no documents", map[string]string{"c1.yaml": first, "c2.yml": second, "README": "nonsense: ["}, in1, unknown, 1},
	}
	for _, test := range tests {
		a.write(test.data)
		s.await(t, seen, who("c1"), test.c1)
		s.await(t, seen, who("c2"), test.c2)
		s.awaitMetrics(t, seen, map[string]float64{clusters: test.count, configGood: 1})
	}
	if n := s.metric(configErrors); n != 1 {
		t.Errorf("%v errors, want only the one before there was a ConfigMap", n)
	}
}
