//go:build e2e

package overset

// linkerd: a service that Linkerd's label exports in two clusters, with traffic split by weights
// (SMI's TrafficSplit, HTTPRoute), and failover.
func linkerd(s *story) {
	east, west := s.web(s.east, byLinkerd), s.web(s.west, byLinkerd)
	weighted := func(east, west string) string {
		return document([]string{"services: [linkerd/web], weights: {east: " + east + ", west: " + west + "}"}, s.east.as(), s.west.as(), s.north.as())
	}
	v := s.start("east", "", weighted("50", "50"))
	v.awaitShares(s.name("web"), map[string]float64{east: 50, west: 50})
	v.set(weighted("90", "10"))
	v.awaitShares(s.name("web"), map[string]float64{east: 90, west: 10})
	s.endpoints(s.east, "web", 2, 0)
	v.awaitShares(s.name("web"), map[string]float64{west: 100})
	s.endpoints(s.east, "web", 2, 2)
	v.awaitShares(s.name("web"), map[string]float64{east: 90, west: 10})
	v.set(weighted("0", "100"))
	v.awaitShares(s.name("web"), map[string]float64{west: 100})
}
