//go:build e2e

package overset

// istio: two networks ("multi-primary on different networks"): within its own network a service
// has its own address, and the address of its gateway elsewhere.
func istio(s *story) {
	east, west := s.web(s.east, byLinkerd), s.web(s.west, byLinkerd)
	const eastGateway, westGateway = "198.51.100.1", "198.51.100.2"
	networks := document(nil, s.east.as("network: net-1", "gateways: ["+eastGateway+"]"), s.west.as("network: net-2", "gateways: ["+westGateway+"]"))
	inEast, inWest := s.start("east", "affinity none", networks), s.start("west", "affinity none", networks)
	inEast.await(s.name("web"), both(east, westGateway))
	inWest.await(s.name("web"), both(west, eastGateway))
	s.endpoints(s.west, "web", 2, 0)
	inEast.await(s.name("web"), east)
	inWest.await(s.name("web"), eastGateway)
	s.endpoints(s.west, "web", 2, 2)
	s.endpoints(s.east, "web", 2, 0)
	inEast.await(s.name("web"), westGateway)
	inWest.await(s.name("web"), west)
}
