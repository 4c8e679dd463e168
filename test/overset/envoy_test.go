//go:build e2e

package overset

import "fmt"

// envoy: as ready endpoints of the near cluster become fewer, replies spill over to the far
// one. The shares are those of Envoy's documentation ("Priority levels"), for its
// overprovisioning factor of 1.4.
func envoy(s *story) {
	near, far := s.service(s.east, "web", byLinkerd), s.service(s.west, "web", byLinkerd)
	s.endpoints(s.west, "web", 10, 10)
	s.endpoints(s.east, "web", 10, 10)
	v := s.start("east", "affinity local", document(nil, s.east.as(), s.west.as()))
	for _, step := range []struct{ ready, stays int }{{10, 100}, {7, 98}, {5, 70}, {2, 28}, {0, 0}, {10, 100}} {
		s.endpoints(s.east, "web", 10, step.ready)
		fmt.Fprintf(s.Output(), "%d of 10 ready\n", step.ready)
		v.awaitShares(s.name("web"), map[string]float64{near: float64(step.stays), far: 100 - float64(step.stays)})
	}
}
