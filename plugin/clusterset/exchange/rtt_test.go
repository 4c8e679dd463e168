package exchange

import (
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

// TestRTT: it is measured when it is asked for, and of a dead member it isn't known.
func TestRTT(t *testing.T) {
	alive, dead := clustertest.Serve(t, clustertest.Zone(t, "cluster.local. 5 IN SOA ns hostmaster 1 2 3 4 5")), clustertest.Serve(t, clustertest.Silence)
	c, _ := newTestClient(t, Options{}, dead.Addr, alive.Addr)
	clustertest.WaitFor(t, func() bool { return c.RTT() > 0 })
	if rtt := c.RTT(); rtt > time.Second {
		t.Errorf("%v", rtt)
	}
}

// TestRTTSmoothed: one sample changes little, and small changes don't show.
func TestRTTSmoothed(t *testing.T) {
	var r rtt
	for i, test := range []struct{ sample, reported int64 }{{1000, 1000}, {1100, 1000}, {900, 1000}, {2000, 1000}, {3000, 1357}, {3000, 1357}, {3000, 1741}} {
		r.add(test.sample)
		if got := r.reported.Load(); got != test.reported {
			t.Errorf("%d: %d, want %d (smoothed %d)", i, got, test.reported, r.smoothed.Load())
		}
	}
}
