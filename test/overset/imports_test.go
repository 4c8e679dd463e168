//go:build e2e

package overset

import (
	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

const importsVersion = "v1beta1"

// mcsImports has the suite's services in ServiceImports of the local API, as an implementation
// of the API makes them, and the endpoints of one in imported slices. These are there first,
// and stay when the imports are gone, as in Lighthouse's tests.
func mcsImports(s *story) {
	here := s.service(s.east, "hello", twoPorts)
	s.endpoints(s.east, "hello", 2, 2)
	exported := s.service(s.west, "hello", twoPorts)
	s.endpoints(s.west, "hello", 2, 2)
	s.export(s.west, "hello")
	for _, slice := range headlessSlices(s.west) {
		slice.Labels = marks{"multicluster.kubernetes.io/service-name": "pods", "multicluster.kubernetes.io/source-cluster": "west"}
		harness.Put(s.T, s.east.admin.DiscoveryV1().EndpointSlices(s.namespace), slice)
	}
	own := s.east.up.Kubeconfig("east")
	v := s.startWith("east", "kubeconfig "+own, document(nil, s.east.as(), s.west.as()), "kubernetes cluster.local {\n kubeconfig "+own+"\n}", nil)
	v.await(s.name("hello"), exported)
	v.await(s.name("pods"), missing)

	const ip4, ip6 = "10.201.0.1", "fd00:201::1"
	ports := []any{map[string]any{"name": "tcp", "port": int64(42), "protocol": "TCP"}, map[string]any{"name": "udp", "port": int64(42), "protocol": "UDP"}}
	s.imports("hello", map[string]any{"type": "ClusterSetIP", "ips": []any{ip4, ip6}, "ports": ports})
	s.imports("pods", map[string]any{"type": "Headless", "ports": ports})
	v.conforms(here, []string{ip4}, []string{ip6})

	for _, name := range []string{"hello", "pods"} {
		s.must(s.east.client(s.T).Resource(harness.ServiceImports(importsVersion)).Namespace(s.namespace).Delete(s.Context(), name, metav1.DeleteOptions{}))
	}
	v.await(s.name("hello"), exported) // what members export counts again
	v.await(s.name("pods"), missing)
}

// importsReady: a headless import is answered with the ready endpoints of all clusters, and with
// NXDOMAIN without one.
func importsReady(s *story) {
	slice := func(c *cluster, ready bool) {
		harness.Put(s.T, s.east.admin.DiscoveryV1().EndpointSlices(s.namespace), &discovery.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{Name: "db-" + c.name, Labels: marks{
				"multicluster.kubernetes.io/service-name": "db", "multicluster.kubernetes.io/source-cluster": c.name,
			}},
			AddressType: discovery.AddressTypeIPv4,
			Endpoints:   []discovery.Endpoint{{Addresses: []string{c.pod(1)}, Hostname: new("db-0"), Conditions: discovery.EndpointConditions{Ready: new(ready)}}},
			Ports:       []discovery.EndpointPort{{Name: new("pg"), Protocol: new(v1.ProtocolTCP), Port: new(int32(5432))}},
		})
	}
	slice(s.west, true)
	slice(s.north, true)
	s.imports("db", map[string]any{"type": "Headless", "ports": []any{map[string]any{"name": "pg", "port": int64(5432)}}})
	v := s.startWith("east", "kubeconfig "+s.east.up.Kubeconfig("east"), document(nil, s.east.as(), s.west.as()), "", nil)
	db := s.name("db")
	v.await(db, both(s.west.pod(1), s.north.pod(1)))
	v.await("db-0.west."+db, s.west.pod(1))
	v.await("db-0.north."+db, s.north.pod(1)) // which needn't be a member
	v.await("db-0.east."+db, missing)
	slice(s.west, false)
	v.await(db, s.north.pod(1))
	v.await("db-0.west."+db, missing)
	slice(s.north, false)
	v.await(db, missing)
	slice(s.west, true)
	v.await(db, s.west.pod(1))
}

// imports makes a ServiceImport in the local API.
func (s *story) imports(name string, spec map[string]any) {
	s.Helper()
	harness.Import(s.T, s.east.client(s.T), importsVersion, s.namespace, name, spec)
}
