//go:build e2e && linux

package main

import (
	"os"
	"testing"
)

// TestStage: a failure ends it, after what was left to clean up, and is what it returns.
func TestStage(t *testing.T) {
	var dir string
	order := ""
	err := perform(func(s *stage) {
		dir = s.TempDir()
		s.Cleanup(func() { order += "b" })
		s.Cleanup(func() { order += "a"; s.Fatal("too") })
		s.Fatalf("no %s", "kube")
	})
	if err == nil || err.Error() != "no kube" || order != "ab" {
		t.Errorf("error %v, order %q", err, order)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is left", dir)
	}
	if err := perform(func(*stage) {}); err != nil {
		t.Error(err)
	}
}

func TestNormalize(t *testing.T) {
	const text = "NAME   RTT\ncluster1 (here)   default   idle   -   fresh   1s   3   2   2/2\n" +
		"cluster2   default   down   0.4ms   stale   12s   3   2   0/2\n⌛ Waiting (3s) for it\n;; p: NOERROR, in 0.12 ms\n"
	const want = "NAME RTT\ncluster1 (here) default UP RTT fresh AGE 3 2 2/2\n" +
		"cluster2 default down RTT stale AGE 3 2 0/2\n;; p: NOERROR, in N ms\n"
	if got := normalize(text); got != want {
		t.Errorf("have\n%s", got)
	}
}
