package clustertest

import (
	"runtime/debug"
	"slices"
	"testing"
)

// WithoutRace skips a test with the race detector: one that computes much, with bounds of
// memory, in a single goroutine, where the detector makes it ten times as long and finds
// nothing. The Makefile has them without it, in e2e.
func WithoutRace(t testing.TB) {
	t.Helper()
	info, ok := debug.ReadBuildInfo()
	if ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("make e2e has it, without the race detector")
	}
}
