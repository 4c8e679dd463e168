//go:build e2e

package data

import (
	"testing"
	"time"
)

const (
	// pollPause is between two looks at what is waited for: short against the
	// bounds that are measured, long against what a look costs.
	pollPause = 5 * time.Millisecond
	// seen bounds the time from a change to its being seen in answers. The goal
	// is 100 ms; the machine that runs this does other things too.
	seen = time.Second
	// noticed and recovered are the man page's: a partition is noticed within 10
	// seconds, and data are fresh within 5 of the API's return.
	noticed   = 10 * time.Second
	recovered = 5 * time.Second
	// drained bounds the time until a member that left has left no trace: the
	// plugin keeps it 5 s for queries under way.
	drained = 8 * time.Second
	// startLimit bounds the start of a CoreDNS.
	startLimit = 15 * time.Second
	// settled bounds what an API server and its controllers do soon after a
	// write: rights take effect, pods get into slices.
	settled = 15 * time.Second
)

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
	pause := time.NewTicker(20 * pollPause)
	defer pause.Stop()
	for start := time.Now(); time.Since(start) < during; <-pause.C {
		if err := look(); err != nil {
			t.Fatalf("%s: after %v: %v", what, time.Since(start), err)
		}
	}
}
