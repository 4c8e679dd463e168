package clustertest

import (
	"fmt"
	"testing"
	"time"
)

// Tries has what a busy machine can spoil tried again, five times at the most: what is
// wrong is wrong each time.
func Tries(t testing.TB, try func() error) {
	t.Helper()
	const tries = 5
	var err error
	for range tries {
		if err = try(); err == nil {
			return
		}
		t.Log(err)
	}
	t.Errorf("%d times: %v", tries, err)
}

// Within wants f to take no longer than bound, in one of its Tries.
func Within(t testing.TB, bound time.Duration, f func()) {
	t.Helper()
	Tries(t, func() error {
		start := time.Now()
		f()
		if took := time.Since(start); took > bound {
			return fmt.Errorf("took %v, want %v at most", took, bound)
		}
		return nil
	})
}

// Plenty is the time for what is to happen, and bounds what would hang for ever: a busy
// machine takes some seconds for what takes a millisecond.
const Plenty = 20 * time.Second

// WaitFor waits until it is so.
func WaitFor(t testing.TB, so func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for start := time.Now(); !so(); <-tick.C {
		if time.Since(start) > Plenty {
			t.Fatalf("not within %v", Plenty)
		}
	}
}
