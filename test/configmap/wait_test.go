//go:build e2e

package configmap

import (
	"testing"
	"time"
)

// pollPause is between two looks at what is waited for: short against the bounds
// that are measured with it, long against what a look costs.
const pollPause = 2 * time.Millisecond

// eventually looks until look finds nothing wrong, and gives how long that took.
// After limit the test fails with what was wrong last.
func eventually(t *testing.T, limit time.Duration, what string, look func() error) time.Duration {
	t.Helper()
	start := time.Now()
	pause := time.NewTicker(pollPause)
	defer pause.Stop()
	for {
		err := look()
		took := time.Since(start)
		if err == nil {
			return took
		}
		if took > limit {
			t.Fatalf("%s: not within %v: %v", what, limit, err)
		}
		<-pause.C
	}
}

// throughout looks again and again for as long as during says, and fails the
// test at the first thing wrong.
func throughout(t *testing.T, during time.Duration, what string, look func() error) {
	t.Helper()
	pause := time.NewTicker(10 * pollPause)
	defer pause.Stop()
	for start := time.Now(); time.Since(start) < during; <-pause.C {
		if err := look(); err != nil {
			t.Fatalf("%s: after %v: %v", what, time.Since(start), err)
		}
	}
}
