//go:build e2e

package data

import (
	"fmt"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// ip is where all of this package's servers listen. Other tests have other
// addresses: CoreDNS shares its ports (SO_REUSEPORT).
const ip = "127.0.122.1"

// Modes that answer from data.
const (
	auto    = "auto"
	resolve = "resolve"
)

// server is a clusterset server: the CoreDNS under test.
type server struct {
	*harness.Server
	mode string
}

// setFile is the file with the ClusterSet, where it isn't in a ConfigMap.
const setFile = "clusterset.yaml"

// newServer starts a CoreDNS whose ClusterSet is where the lines of the source
// say, and doesn't wait for it.
func newServer(t *testing.T, mode, source, document string) *server {
	t.Helper()
	lines := fmt.Sprintf("clusterset lan in-addr.arpa {\n %s\n mode %s\n ttl %d\n", source, mode, freshTTL)
	if mode == auto {
		lines += " cache 0\n" // answers tell whether the member's DNS was asked
	}
	lines += " }"
	return &server{harness.StartServer(t, mode, ip, lines, map[string]string{setFile: document}), mode}
}

// startServer starts one whose ClusterSet is in a file, and returns when its data
// are there.
func startServer(t *testing.T, mode string, members ...entry) *server {
	t.Helper()
	s := newServer(t, mode, "file "+setFile, document(members...))
	s.awaitReady(t, harness.StartLimit)
	return s
}

// startBoth starts a server of each mode.
func startBoth(t *testing.T, members ...entry) []*server {
	t.Helper()
	both := []*server{startServer(t, auto, members...), startServer(t, resolve, members...)}
	for _, s := range both {
		for _, m := range members {
			s.awaitState(t, harness.StartLimit, m.name, fresh)
		}
	}
	return both
}

// set gives it another ClusterSet.
func (s *server) set(members ...entry) { s.Write(setFile, document(members...)) }

// awaitReady waits until it is ready, gives how long that took, and waits until it
// listens: the ready plugin does so some milliseconds earlier.
func (s *server) awaitReady(t *testing.T, limit time.Duration) time.Duration {
	t.Helper()
	took := harness.Eventually(t, limit, s.mode+" ready", func() error {
		s.Running()
		return s.IsReady()
	})
	harness.Eventually(t, limit, s.mode+" listens", func() error {
		_, err := s.Ask("udp", "lan.")
		return err
	})
	return took
}
