//go:build e2e

package configmap

import (
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// TestChange takes a member through its life, beside one that never changes.
func TestChange(t *testing.T) {
	a, c1, s := startServing(t)
	old := startMember(t, "127.0.111.12", "10.102.0.1")
	moved := startMember(t, "127.0.111.13", "10.102.0.2")
	unchanged := s.Probe(who("c1"), answer(c1.mark))

	steps := []struct {
		what    string
		members []entry
		reply   string
		reverse string // of the member's address
	}{
		{"added", []entry{member(1, c1.Addr), member(2, old.Addr)}, answer("10.102.0.1"), "10.102.0.1"},
		{"changed", []entry{member(1, c1.Addr), member(2, moved.Addr)}, answer("10.102.0.2"), "10.102.0.2"},
		{"moved to the front", []entry{member(2, moved.Addr), member(1, c1.Addr)}, answer("10.102.0.2"), "10.102.0.2"},
		{"removed", []entry{member(1, c1.Addr)}, unknown, ""},
	}
	s.Want(t, who("c2"), unknown)
	for _, step := range steps {
		written := a.write(one(step.members...))
		s.Await(t, seen, who("c2"), step.reply)
		t.Logf("%s: seen after %v", step.what, time.Since(written))
		s.AwaitMetrics(t, seen, map[string]float64{configGood: 1, clusters: float64(len(step.members))})
		if step.reverse != "" {
			s.Want(t, reverseName(t, step.reverse), answer("who.default.svc.c2.lan."))
		}
	}
	s.AwaitNoSeries(t, "c2")
	s.AwaitMetrics(t, seen, map[string]float64{upstreams("c1", "up"): 1, upstreams("c1", "down"): 0})
	asked := unchanged.End(t) + 1 // and the first one
	if counted := s.Metric(harness.Responses("c1", "NOERROR", "forward")); counted < float64(asked) {
		t.Errorf("c1: %v replies counted, %d given: its series began anew", counted, asked)
	}
	if n := s.Logged(harness.Reloaded); n != 0 {
		t.Errorf("%d reloads", n)
	}
}

// TestKeys: the documents of several keys are one ClusterSet.
func TestKeys(t *testing.T) {
	a := startAPI(t)
	c1 := startMember(t, "127.0.111.11", "10.101.0.1")
	c2 := startMember(t, "127.0.111.12", "10.102.0.1")
	first, second := document(member(1, c1.Addr)), document(member(2, c2.Addr))
	s := startServer(t, a.kubeconfig(theConfigMap()))
	in1, in2 := answer("10.101.0.1"), answer("10.102.0.1")
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
		s.Await(t, seen, who("c1"), test.c1)
		s.Await(t, seen, who("c2"), test.c2)
		s.AwaitMetrics(t, seen, map[string]float64{clusters: test.count, configGood: 1})
	}
	if n := s.Metric(configErrors); n != 1 {
		t.Errorf("%v errors, want only the one before there was a ConfigMap", n)
	}
}
