//go:build e2e

package harness

import (
	"context"
	"testing"
	"time"
)

// looks is how often Throughout looks, however long it lasts: a server under
// load isn't to be busy with being looked at.
const looks = 400

// StartLimit bounds the start of a CoreDNS, on a machine that does other things
// too. It takes 0.3 s.
const StartLimit = 15 * time.Second

// Eventually looks until look finds nothing wrong, and gives how long that took.
// It looks once at least; after limit the test fails with what was wrong last.
func Eventually(t testing.TB, limit time.Duration, what string, look func() error) time.Duration {
	t.Helper()
	took, err := Poll(context.Background(), limit, look)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	return took
}

// Throughout looks again and again for as long as during says, and fails the test
// at the first thing wrong.
func Throughout(t testing.TB, during time.Duration, what string, look func() error) {
	t.Helper()
	pause := time.NewTicker(max(during/looks, pollPause))
	defer pause.Stop()
	for start := time.Now(); time.Since(start) < during; <-pause.C {
		if err := look(); err != nil {
			t.Fatalf("%s: after %v: %v", what, time.Since(start), err)
		}
	}
}
