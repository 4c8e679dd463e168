//go:build e2e

package harness

import (
	"fmt"
	"testing"
	"time"
)

const (
	// closed bounds the time until what the members that left had is closed: they
	// are drained for 5 s, and an idle socket to a DNS server is kept for up to 20.
	closed = 60 * time.Second
	// goroutineSlack and fileSlack are for what the Go runtime, the API's
	// connection and a scrape have at one moment and not at another.
	goroutineSlack, fileSlack = 3, 2
)

// Resources are what a server holds at one moment.
type Resources struct {
	Goroutines int
	Files      int // descriptors, sockets among them
}

// Resources looks what it holds now.
func (s *Server) Resources() Resources {
	s.t.Helper()
	return Resources{Goroutines: int(s.Metric("go_goroutines")), Files: s.OpenFiles()}
}

// AwaitReleased waits until it holds what it held before, and little more.
func (s *Server) AwaitReleased(t testing.TB, before Resources) {
	t.Helper()
	t.Logf("%s: before %+v, after %+v", s.name, before, s.Resources())
	took := Eventually(t, closed, s.name+": back to the beginning", func() error {
		now := s.Resources()
		if now.Goroutines > before.Goroutines+goroutineSlack || now.Files > before.Files+fileSlack {
			return fmt.Errorf("%+v, before %+v", now, before)
		}
		return nil
	})
	t.Logf("%s: back to the beginning after %v", s.name, took)
}
