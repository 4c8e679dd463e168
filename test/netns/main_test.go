//go:build e2e && linux

package netns

import (
	"fmt"
	"os"
	"testing"
)

// TestMain lets this executable be a program inside a namespace, too.
func TestMain(m *testing.M) {
	played, err := act(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if !played {
		os.Exit(m.Run())
	}
}

// newClusters is three clusters whose DNS runs.
func newClusters(t testing.TB) []*cluster {
	t.Helper()
	n := newNetwork(t)
	n.startDNS(t)
	return n.clusters
}
