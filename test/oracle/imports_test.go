//go:build e2e

package oracle

import (
	"fmt"

	discovery "k8s.io/api/discovery/v1"
	mcs "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
)

// imports is the mode of comparisons of names over the whole ClusterSet.
const imports = "imports"

// importOption changes a ServiceImport.
type importOption func(*mcs.ServiceImportSpec)

func (importOption) isPart() {}

// serviceImport is of ClusterSetIP, unless a part says otherwise.
func serviceImport(namespace, name string, parts ...part) *mcs.ServiceImport {
	s := &mcs.ServiceImport{ObjectMeta: made(namespace, name), Spec: mcs.ServiceImportSpec{Type: mcs.ClusterSetIP}}
	for _, p := range parts {
		switch p := p.(type) {
		case importOption:
			p(&s.Spec)
		case portList:
			s.Spec.Ports = p.ofImport()
		}
	}
	return s
}

func (l portList) ofImport() []mcs.ServicePort {
	var list []mcs.ServicePort
	for _, text := range l {
		name, protocol, number := portOf(text)
		list = append(list, mcs.ServicePort{Name: name, Protocol: protocol, Port: *number})
	}
	return list
}

var headlessImport importOption = func(s *mcs.ServiceImportSpec) { s.Type = mcs.Headless }

func setIPs(ips ...string) importOption { return func(s *mcs.ServiceImportSpec) { s.IPs = ips } }

// importedSlice is an EndpointSlice of that import, as it comes from a cluster.
func importedSlice(namespace, name, of, cluster string, kind discovery.AddressType, parts ...part) *discovery.EndpointSlice {
	s := slice(namespace, name, "", kind, parts...)
	s.Labels[mcs.LabelServiceName], s.Labels[mcs.LabelSourceCluster] = of, cluster
	return s
}

// serviceImports are those at the beginning.
func serviceImports() []*mcs.ServiceImport {
	return []*mcs.ServiceImport{
		serviceImport("alpha", "web", web, setIPs("10.102.0.1")),
		serviceImport("beta", "web", ports("http/TCP/8080"), setIPs("10.102.0.2")),
		serviceImport("alpha", "unnamed", ports("/TCP/80"), setIPs("10.102.0.3")),
		serviceImport("alpha", "many", many, setIPs("10.102.0.4")),
		serviceImport("alpha", "six", web, setIPs("fd00:102::1")),
		serviceImport("alpha", "both", many, setIPs("10.102.0.5", "fd00:102::5")),
		serviceImport("alpha", "both-6", web, setIPs("fd00:102::6", "10.102.0.6")),
		serviceImport("alpha", "pending", web),
		serviceImport("alpha", "bare", setIPs("10.102.0.7")),
		serviceImport("alpha", "bare-pending"),
		serviceImport("svc", "svc", web, setIPs("10.102.0.8")),
		serviceImport("pod", "web", web, setIPs("10.102.0.9")),
		serviceImport("c1", "c1", web, setIPs("10.102.0.10")),

		serviceImport("alpha", "db", headlessImport, ports("pg/TCP/5432")),
		serviceImport("beta", "db", headlessImport, ports("pg/TCP/5432"), setIPs("10.102.0.11")),
		serviceImport("alpha", "bare-db", headlessImport),
		serviceImport("alpha", "two-families", headlessImport, web),
		serviceImport("alpha", "dotted", headlessImport, many),
		serviceImport("alpha", "split", headlessImport, many),
		serviceImport("alpha", "empty", headlessImport, web),
		serviceImport("alpha", "unready", headlessImport, web),
		serviceImport("alpha", "big", headlessImport, web),
		serviceImport("c1", "names", headlessImport, web),
	}
}

// importedSlices are those at the beginning. Some are of no import.
func importedSlices() []*discovery.EndpointSlice {
	pg := ports("pg/TCP/5432")
	return append([]*discovery.EndpointSlice{
		importedSlice("alpha", "web-1", "web", "c1", ipv4, web, ready("10.51.0.1"), hosted("web-0", "10.51.0.2"), notReady("web-1", "10.51.0.3")),
		importedSlice("alpha", "bare-1", "bare", "c2", ipv4, hosted("bare-0", "10.51.0.4")),
		slice("alpha", "local-1", "web", ipv4, web, hosted("web-9", "10.51.0.9")), // of the Service here, not of the import

		importedSlice("alpha", "db-1", "db", "c1", ipv4, pg, hosted("db-0", "10.51.1.0"), hosted("db-1", "10.51.1.1"),
			notReady("db-2", "10.51.1.2"), terminating("db-3", "10.51.1.3"), unknown("10.51.1.4")),
		importedSlice("alpha", "db-2", "db", "c2", ipv4, pg, hosted("db-0", "10.52.1.0"), ready("10.52.1.1")),
		importedSlice("beta", "db-1", "db", "c1", ipv4, pg, hosted("db-0", "10.51.2.0")),
		importedSlice("alpha", "bare-db-1", "bare-db", "c1", ipv4, hosted("bare-0", "10.51.3.0"), ready("10.51.3.1")),
		importedSlice("alpha", "bare-db-2", "bare-db", "c1.eu", ipv4, hosted("bare-0", "10.51.3.2")),

		importedSlice("alpha", "families-4", "two-families", "c1", ipv4, web, hosted("f-0", "10.51.6.0"), ready("10.51.6.1")),
		importedSlice("alpha", "families-6", "two-families", "c1", ipv6, web, hosted("f-0", "fd00:51::60"), ready("fd00:51::61"), ready("fd00:51::")),
		importedSlice("alpha", "dotted-1", "dotted", "c1.eu", ipv4, many, hosted("d-0", "10.51.7.0"), hosted("d-1", "10.51.7.1"), ready("10.51.7.2")),
		importedSlice("alpha", "dotted-2", "dotted", "c1.us", ipv4, web, hosted("d-0", "10.51.7.3"), notReady("d-3", "10.51.7.4")),
		importedSlice("alpha", "dotted-3", "dotted", "eu", ipv6, web, hosted("d-0", "fd00:51::70")),
		importedSlice("alpha", "dotted-4", "dotted", "c1.eu", ipv6, web, hosted("d-0", "fd00:51::71"), ready("fd00:51::72")),

		// One cluster's endpoints in several slices, and one address of two clusters.
		importedSlice("alpha", "split-1", "split", "c1", ipv4, many, ready("10.51.4.0"), hosted("split-2", "10.51.4.2")),
		importedSlice("alpha", "split-2", "split", "c1", ipv4, ports("dns/UDP/1053", "extra/TCP/1"), ready("10.51.4.3"), ready("10.51.4.0")),
		importedSlice("alpha", "split-3", "split", "c2", ipv4, ports("/TCP/80", "half/TCP/"), ready("10.51.4.0"), hosted("split-2", "10.51.4.5")),

		importedSlice("alpha", "empty-1", "empty", "c1", ipv4, web),
		importedSlice("alpha", "unready-1", "unready", "c1", ipv4, web, notReady("u-0", "10.51.8.0"), terminating("u-1", "10.51.8.1")),
		importedSlice("c1", "names-1", "names", "svc", ipv4, web, hosted("svc", "10.51.8.2"), hosted("c1", "10.51.8.3"), hosted("10-51-8-9", "10.51.8.4"), ready("10.51.8.9")),
		importedSlice("alpha", "orphan-1", "orphan", "c1", ipv4, web, hosted("o-0", "10.51.9.0")),
	}, bigImported()...)
}

// bigImported are more than a message holds, in many slices, whose order kubernetes leaves to
// chance.
func bigImported() []*discovery.EndpointSlice {
	var list []*discovery.EndpointSlice
	for i := range 10 {
		s := importedSlice("alpha", fmt.Sprintf("big-%d", i), "big", "c1", ipv4, web)
		for j := range 10 {
			s.Endpoints = append(s.Endpoints, discovery.Endpoint(hosted(fmt.Sprintf("big-%d%d", i, j), fmt.Sprintf("10.51.10.%d", 10*i+j))))
		}
		list = append(list, s)
	}
	return list
}
