//go:build e2e

package overset

import v1 "k8s.io/api/core/v1"

// istio: two networks ("multi-primary on different networks"): within its own network a service
// has its own address, and elsewhere the address of its gateway, or of a load balancer of its
// own.
func istio(s *story) {
	balanced := func(service *v1.Service) { service.Spec.Type = v1.ServiceTypeLoadBalancer }
	east, west := s.web(s.east, byLinkerd, balanced), s.web(s.west, byLinkerd, balanced)
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
	s.balance(s.west, v1.LoadBalancerIngress{IP: "203.0.113.2"})
	inEast.await(s.name("web"), "203.0.113.2")
	inWest.await(s.name("web"), west)
}
