//go:build e2e

package overset

import (
	"github.com/miekg/dns"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// clouds: what Amazon's and Google's networks have: pods that are reachable from everywhere,
// and load balancers that have a name, or an address.
func clouds(s *story) {
	s.row("pods", flatNetwork)
	s.row("load balancers", loadBalancers)
}

// flatNetwork: a VPC routes to pods of all clusters, and to no cluster IP.
func flatNetwork(s *story) {
	s.exported(s.east, s.west)
	v := s.start("north", "", document(nil, s.east.as("reach: [pods]"), s.west.as("reach: [pods]"), s.north.as()))
	v.await(s.name("web"), both(append(s.east.pods(2), s.west.pods(2)...)...))
	s.endpoints(s.east, "web", 2, 1)
	v.await(s.name("web"), both(append(s.east.pods(1), s.west.pods(2)...)...))
	v.awaitType(dns.TypeSRV, "_http._tcp."+s.name("web"), "0 33 80 "+s.name("web"))
}

// loadBalancers: a load balancer with a name is an alias where it alone answers, else its
// addresses are among those of the others.
func loadBalancers(s *story) {
	for _, c := range []*cluster{s.east, s.west} {
		s.web(c, func(service *v1.Service) { service.Spec.Type = v1.ServiceTypeLoadBalancer })
		s.export(c, "web")
	}
	s.balance(s.east, v1.LoadBalancerIngress{IP: "198.51.100.1"})
	s.balance(s.west, v1.LoadBalancerIngress{Hostname: "lb.west.example"})
	reach := []member{s.east.as("reach: [loadBalancers]"), s.west.as("reach: [loadBalancers]"), s.north.as()}
	from := func(policy string) string { return document([]string{`services: ["*/web"], ` + policy}, reach...) }
	const hosts = "hosts {\n 198.51.100.2 lb.west.example\n 198.51.100.3 lb.west.example\n 198.51.100.4 www.example\n fallthrough\n}"
	v := s.startWith("north", "", from("failover: [west, east]"), hosts, nil)
	alias := both("lb.west.example.", "198.51.100.2", "198.51.100.3")
	v.await(s.name("web"), alias)
	v.awaitType(dns.TypeAAAA, s.name("web"), "lb.west.example.")
	v.awaitType(dns.TypeCNAME, s.name("web"), "lb.west.example.")
	v.awaitType(dns.TypeSRV, "_http._tcp."+s.name("web"), "0 100 80 lb.west.example.")
	v.set(from("failover: [east, west]"))
	v.await(s.name("web"), "198.51.100.1")
	v.set(from("affinity: none"))
	v.await(s.name("web"), both("198.51.100.1", "198.51.100.2", "198.51.100.3"))
	v.awaitType(dns.TypeCNAME, s.name("web"), noData)

	s.balance(s.west, v1.LoadBalancerIngress{Hostname: "gone.west.example"})
	v.await(s.name("web"), "198.51.100.1")
	s.balance(s.west, v1.LoadBalancerIngress{Hostname: "www.example"})
	v.await(s.name("web"), both("198.51.100.1", "198.51.100.4"))
	s.balance(s.west)
	v.await(s.name("web"), "198.51.100.1")
}

// balance gives "web" those load balancers.
func (s *story) balance(c *cluster, ingress ...v1.LoadBalancerIngress) {
	s.Helper()
	services := c.admin.CoreV1().Services(s.namespace)
	service, err := services.Get(s.Context(), "web", metav1.GetOptions{})
	s.must(err)
	service.Status.LoadBalancer.Ingress = ingress
	_, err = services.UpdateStatus(s.Context(), service, metav1.UpdateOptions{})
	s.must(err)
}
