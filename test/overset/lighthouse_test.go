//go:build e2e

package overset

import (
	"time"

	"github.com/miekg/dns"
	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// lighthouse: the rules that the tests of Submariner's Lighthouse hold.
func lighthouse(s *story) {
	all := document([]string{`services: ["*/weighted"], weights: {west: 25, north: 75}`}, s.east.as(), s.west.as(), s.north.as())
	v := s.start("east", "", all)
	for _, test := range []struct {
		name string
		run  func(*story, *server)
	}{
		{"local first", localFirst},
		{"weights", weights},
		{"union", union},
		{"not ready", notReady},
		{"slice first", sliceFirst},
		{"export deleted first", exportDeletedFirst},
		{"two namespaces", twoNamespaces},
		{"IPv6", ipv6},
		{"pods not ready", publishNotReady},
	} {
		s.row(test.name, func(s *story) { test.run(s, &server{v.Server, s}) })
	}
}

// exported makes "web" in clusters, exported, and returns the cluster IPs.
func (s *story) exported(clusters ...*cluster) (ips []string) {
	s.Helper()
	for _, c := range clusters {
		ips = append(ips, s.web(c))
		s.export(c, "web")
	}
	return ips
}

// localFirst: local while its endpoints are healthy, else the other clusters, and again.
func localFirst(s *story, v *server) {
	ips := s.exported(s.clusters()...)
	v.await(s.name("web"), ips[0])
	s.endpoints(s.east, "web", 2, 0)
	v.await(s.name("web"), both(ips[1], ips[2]))
	s.endpoints(s.north, "web", 2, 0)
	v.await(s.name("web"), ips[1])
	s.endpoints(s.east, "web", 2, 2)
	v.await(s.name("web"), ips[0])
	s.unexport(s.east, "web")
	v.await(s.name("web"), ips[1])
}

// weights: a service that isn't in the local cluster, by weights.
func weights(s *story, v *server) {
	ips := make(map[string]float64)
	for c, weight := range map[*cluster]float64{s.west: 25, s.north: 75} {
		ips[s.service(c, "weighted")] = weight
		s.endpoints(c, "weighted", 1, 1)
		s.export(c, "weighted")
	}
	v.awaitShares(s.name("weighted"), ips)
}

// union: a headless service's endpoints of all clusters that are chosen, each once.
func union(s *story, v *server) {
	for _, c := range []*cluster{s.west, s.north} {
		s.web(c, headless)
		s.slice(c, "web", "web-2", discovery.AddressTypeIPv4, discovery.Endpoint{Addresses: []string{c.pod(2)}}, discovery.Endpoint{Addresses: []string{c.pod(3)}})
		s.export(c, "web")
	}
	v.await(s.name("web"), both(append(s.west.pods(3), s.north.pods(3)...)...))
}

// notReady: nothing is ready anywhere.
func notReady(s *story, v *server) {
	s.exported(s.west)
	s.endpoints(s.west, "web", 2, 0)
	v.await(s.name("web"), missing)
	s.endpoints(s.west, "web", 0, 0)
	v.await(s.name("web"), missing)
}

// sliceFirst: an EndpointSlice before its Service and the export of that.
func sliceFirst(s *story, v *server) {
	s.endpoints(s.west, "web", 2, 2)
	s.export(s.west, "web")
	v.await(s.name("web"), missing)
	ip := s.service(s.west, "web")
	v.await(s.name("web"), ip)
}

// exportDeletedFirst: the export ends before the Service and its slice.
func exportDeletedFirst(s *story, v *server) {
	ips := s.exported(s.west)
	v.await(s.name("web"), ips[0])
	s.unexport(s.west, "web")
	v.await(s.name("web"), missing)
	s.export(s.west, "web")
	v.await(s.name("web"), ips[0])
	s.must(s.west.admin.CoreV1().Services(s.namespace).Delete(s.Context(), "web", metav1.DeleteOptions{}))
	v.await(s.name("web"), missing)
}

// twoNamespaces: services of one name in two namespaces are two services.
func twoNamespaces(s *story, v *server) {
	ips := s.exported(s.west)
	s.row("other", func(other *story) {
		others := other.exported(other.west)
		v.await(s.name("web"), ips[0])
		v.await(other.name("web"), others[0])
	})
}

// ipv6: AAAA from slices of IPv6. Lighthouse has none.
func ipv6(s *story, v *server) {
	s.web(s.west, headless)
	s.slice(s.west, "web", "web-6", discovery.AddressTypeIPv6, discovery.Endpoint{Addresses: []string{"fd00:52::1"}})
	s.export(s.west, "web")
	v.awaitType(dns.TypeAAAA, s.name("web"), "fd00:52::1")
	v.await(s.name("web"), both(s.west.pods(2)...))
	s.slice(s.west, "web", "web-6", discovery.AddressTypeIPv6)
	v.awaitType(dns.TypeAAAA, s.name("web"), noData)
}

// publishNotReady: publishNotReadyAddresses, with a slice that Kubernetes' own controller makes.
func publishNotReady(s *story, v *server) {
	selector := marks{"app": "web"}
	for name, publish := range map[string]bool{"yes": true, "no": false} {
		s.service(s.west, name, headless, func(service *v1.Service) {
			service.Spec.Selector, service.Spec.PublishNotReadyAddresses = selector, publish
		})
		s.export(s.west, name)
	}
	pods := s.west.admin.CoreV1().Pods(s.namespace)
	pod, err := pods.Create(s.Context(), &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Labels: selector},
		Spec:       v1.PodSpec{NodeName: "node", Containers: []v1.Container{{Name: "a", Image: "none"}}},
	}, metav1.CreateOptions{})
	s.must(err)
	pod.Status = v1.PodStatus{Phase: v1.PodRunning, PodIP: s.west.pod(9), PodIPs: []v1.PodIP{{IP: s.west.pod(9)}}}
	pod, err = pods.UpdateStatus(s.Context(), pod, metav1.UpdateOptions{})
	s.must(err)
	v.awaitWithin(controllers, dns.TypeA, s.name("yes"), s.west.pod(9))
	v.await(s.name("no"), missing)
	pod.Status.Conditions = []v1.PodCondition{{Type: v1.PodReady, Status: v1.ConditionTrue}}
	_, err = pods.UpdateStatus(s.Context(), pod, metav1.UpdateOptions{})
	s.must(err)
	v.awaitWithin(controllers, dns.TypeA, s.name("no"), s.west.pod(9))
}

// controllers bounds what Kubernetes' controllers do after a write.
const controllers = 15 * time.Second
