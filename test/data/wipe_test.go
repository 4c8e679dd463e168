//go:build e2e

package data

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// TestWipe: a cluster that is built anew at the same address is another cluster.
// What the old one had is gone, however much the new one's resource versions look
// like its own.
func TestWipe(t *testing.T) {
	clusters := startClusters(t, 2)
	c1, c2 := clusters[0], clusters[1]
	relay, kubeconfig := harness.StartRelay(t, c1.up, c1.name)
	path := filepath.Join(t.TempDir(), "kubeconfig")
	harness.WriteFile(t, path, kubeconfig)
	servers := startBoth(t, c1.withFile(path), entries(c2)[0])
	for _, test := range []struct {
		name       string
		begin, end func()
		told       float64 // how often it is told that it is another cluster
	}{
		// An API that comes back before its namespaces do can't tell who it is.
		{"at once", func() {}, func() {}, 0},
		{"while cut off", relay.Stop, func() { relay.Reopen(t) }, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			c1.addService("gone", 10)
			before := make(map[*server]float64)
			for _, s := range servers {
				s.Await(t, seen, name("gone", "c1"), fromData(c1.ip(10)))
				before[s] = s.Metric(troubles("c1", "replaced"))
			}
			others := probeAll(servers, c2, true)
			test.begin()
			c1.up.Wipe("c1")
			wiped := time.Now()
			c1.fill()
			test.end()
			back := time.Now()
			if test.told == 0 {
				back = wiped
			}
			for _, s := range servers {
				s.Await(t, recovered-time.Since(back), name("gone", "c1"), missing)
				s.awaitState(t, recovered-time.Since(back), "c1", fresh)
				s.Await(t, recovered-time.Since(back), name(who, "c1"), fromData(c1.ip(1)))
				t.Logf("%s: what was is gone, and what is there is seen, after %v", s.mode, time.Since(back))
				s.Await(t, settled, name(pods, "c1"), fromData(c1.podIP()))
				if n := s.Metric(troubles("c1", "replaced")) - before[s]; n < test.told {
					t.Errorf("%s: told %v times that it is another cluster, want %v", s.mode, n, test.told)
				}
			}
			others(t)
		})
	}
}
