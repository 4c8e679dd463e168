//go:build e2e

package oracle

import (
	"fmt"

	"golang.org/x/sync/errgroup"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// endpointSlices are what no controller has made, since their Services select
// nothing. The controllers' own are in pods_test.go.
func endpointSlices() []*discovery.EndpointSlice {
	pg := ports("pg/TCP/5432")
	return append([]*discovery.EndpointSlice{
		// Those of a cluster IP are seen in endpoints' names, and in PTR.
		slice("alpha", "web-1", "web", ipv4, web, ready("10.51.0.1"), hosted("web-0", "10.51.0.2"), notReady("web-1", "10.51.0.3")),
		slice("alpha", "many-1", "many", ipv4, many, ready("10.51.0.4")),
		slice("alpha", "both-4", "both", ipv4, many, hosted("both-0", "10.51.0.5")),
		slice("alpha", "both-6", "both", ipv6, many, hosted("both-0", "fd00:51::5")),

		slice("alpha", "db-1", "db", ipv4, pg, hosted("db-0", "10.51.1.0"), hosted("db-1", "10.51.1.1"),
			notReady("db-2", "10.51.1.2"), terminating("db-3", "10.51.1.3"), unknown("10.51.1.4")),
		slice("beta", "db-1", "db", ipv4, pg, hosted("db-0", "10.51.2.0")),
		slice(goes, "db-1", "db", ipv4, web, hosted("db-0", "10.51.2.9")),
		slice("alpha", "bare-1", "bare", ipv4, hosted("bare-0", "10.51.3.0"), ready("10.51.3.1")),

		// One Service in several slices, whose ports differ, as after a rollout.
		slice("alpha", "split-1", "split", ipv4, many, ready("10.51.4.0", "10.51.4.1"), hosted("split-2", "10.51.4.2")),
		slice("alpha", "split-2", "split", ipv4, ports("dns/UDP/1053", "extra/TCP/1"), ready("10.51.4.3")),
		slice("alpha", "split-3", "split", ipv4, ports("/TCP/80"), ready("10.51.4.4")),
		slice("alpha", "split-4", "split", ipv4, ports("half/TCP/"), ready("10.51.4.5")),
		slice("alpha", "split-5", "split", ipv4, ready("10.51.4.6")),
		slice("alpha", "split-6", "split", ipv6, many, ready("fd00:51::4")),

		// An endpoint that moves is in two slices for a while; a hostname may be
		// of two endpoints, and one address of two Services.
		slice("alpha", "double-1", "double", ipv4, web, ready("10.51.5.0"), hosted("twice", "10.51.5.1"), hosted("twice", "10.51.5.2")),
		slice("alpha", "double-2", "double", ipv4, web, ready("10.51.5.0"), hosted("twice", "10.51.5.1"), hosted("other", "10.51.5.1")),
		slice("alpha", "double-3", "double", ipv4, web, notReady("twice", "10.51.5.1"), ready("10.51.1.1")),

		slice("alpha", "families-4", "two-families", ipv4, web, hosted("f-0", "10.51.6.0"), ready("10.51.6.1")),
		slice("alpha", "families-6", "two-families", ipv6, web, hosted("f-0", "fd00:51::60"), ready("fd00:51::61")),
		// How an IPv6 address is written is its endpoint's name.
		slice("alpha", "six-1", "six-db", ipv6, web, ready("fd00:51::"), ready("fd00:51::1:0:0:1"), ready("fd00:51:0:1::"), hosted("six-0", "fd00:51::6")),
		// The Service has another family than the slice.
		slice("alpha", "six-2", "six-db", ipv4, web, ready("10.51.6.9")),

		slice("alpha", "empty-slice-1", "empty-slice", ipv4, web),
		slice("alpha", "unready-1", "unready", ipv4, web, notReady("u-0", "10.51.7.0"), terminating("u-1", "10.51.7.1")),
		slice("alpha", "all-1", "all", ipv4, web, hosted("a-0", "10.51.7.2"), published("a-1", "10.51.7.3")),
		// Names of endpoints that look like something else.
		slice("alpha", "names-1", "names", ipv4, web, hosted("10-51-8-9", "10.51.8.0"), hosted("svc", "10.51.8.1"),
			hosted("names", "10.51.8.2"), hosted("1", "10.51.8.3"), hosted("x--y", "10.51.8.4"), ready("10.51.8.9")),

		// Of no Service, of one of another kind, and outside the member's CIDRs.
		slice("alpha", "orphan-1", "orphan", ipv4, web, hosted("o-0", "10.51.9.0"), ready("10.51.9.1")),
		slice("alpha", "external-1", "out", ipv4, web, hosted("e-0", "10.51.9.2")),
		slice("beta", "far-1", "web", ipv4, web, ready("192.0.2.77"), ready("198.51.100.7")),
		// A name in place of addresses, which the API still takes; alone, since
		// kubernetes gives a CNAME beside addresses in an order of chance.
		slice("alpha", "named-1", named, fqdn, web, ready("www.outside.test")),
		slice("alpha", "several-1", "several", ipv4, web, hosted("s-0", "10.51.8.20", "10.51.8.21"), ready("10.51.8.22", "10.51.8.23")),
		slice("alpha", "nobody-1", "", ipv4, web, hosted("b-0", "10.51.9.3"), ready("10.51.9.4")),
		// An endpoint at another Service's cluster IP, if that has it.
		slice("beta", "vip-1", "db", ipv4, pg, ready("10.101.0.1")),
	}, big())
}

// big is more than a message holds without EDNS, and, of SRV, with it.
func big() *discovery.EndpointSlice {
	s := slice("alpha", "big-1", "big", ipv4, web)
	for i := range 100 {
		s.Endpoints = append(s.Endpoints, discovery.Endpoint(hosted(fmt.Sprintf("big-%02d", i), fmt.Sprintf("10.51.10.%d", i))))
	}
	return s
}

// fill makes all the data.
func (a *api) fill() {
	a.t.Helper()
	for _, name := range namespaces {
		a.createNamespace(name)
	}
	a.makeServicesAndSlices()
	a.fillPods()
}

// makeServicesAndSlices makes all that no controller makes.
func (a *api) makeServicesAndSlices() {
	a.t.Helper()
	a.services, a.slices = "", ""
	var group errgroup.Group
	group.SetLimit(at)
	services, slices := services(), endpointSlices()
	if a.mcs != nil {
		services, slices = nil, importedSlices()
		a.makeImports(&group)
	}
	for _, s := range services {
		group.Go(func() error {
			_, err := a.client.CoreV1().Services(s.Namespace).Create(a.t.Context(), s, metav1.CreateOptions{})
			return err
		})
	}
	for _, s := range slices {
		group.Go(func() error {
			_, err := a.client.DiscoveryV1().EndpointSlices(s.Namespace).Create(a.t.Context(), s, metav1.CreateOptions{})
			return err
		})
	}
	a.must(group.Wait())
}
