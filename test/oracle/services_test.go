//go:build e2e

package oracle

import (
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
)

// namespaces that the data are in. Some have the name of what names are made of.
var namespaces = []string{
	"alpha", "beta", "nothing", "made", "a-1", "x--y", "10-51-0-1",
	"svc", "pod", "c1", "lan", "cluster", goes,
}

// named is the Service whose endpoints have names instead of addresses.
const named = "named"

const (
	ipv4 = discovery.AddressTypeIPv4
	ipv6 = discovery.AddressTypeIPv6
	fqdn = discovery.AddressTypeFQDN
)

var (
	web  = ports("http/TCP/80")
	many = ports("dns/UDP/53", "dns-tcp/TCP/53", "metrics/TCP/9153", "sctp/SCTP/53")
)

// services have their addresses from the API server, and no selector: their
// slices, if any, are those below.
func services() []*v1.Service {
	return append([]*v1.Service{
		service("alpha", "web", web),
		service("beta", "web", ports("http/TCP/8080")),
		service("alpha", "unnamed", ports("/TCP/80")),
		service("alpha", "many", many),
		service("alpha", "node-port", web, ofType(v1.ServiceTypeNodePort)),
		service("alpha", "balanced", web, ofType(v1.ServiceTypeLoadBalancer)),
		service("alpha", "six", web, families(v1.IPFamilyPolicySingleStack, v1.IPv6Protocol)),
		service("alpha", "both", many, families(v1.IPFamilyPolicyRequireDualStack, v1.IPv4Protocol, v1.IPv6Protocol)),
		service("alpha", "both-6", web, families(v1.IPFamilyPolicyPreferDualStack, v1.IPv6Protocol, v1.IPv4Protocol)),
		service("alpha", "a-1-2", web),
		service("alpha", "x--y", web),
		service("alpha", "s10-51-0-1", web),
		service("a-1", "web-2", web),
		service("x--y", "x--y", web),
		service("10-51-0-1", "web", web),
		service("svc", "web", web), service("svc", "svc", web),
		service("pod", "web", web), service("pod", "pod", web),
		service("c1", "c1", web), service("lan", "lan", web),
		service("cluster", "local", web),
		service(goes, "web", web), service(goes, "db", headless, web),

		service("alpha", "db", headless, ports("pg/TCP/5432")),
		service("alpha", "bare", headless),
		service("alpha", "split", headless, many),
		service("alpha", "double", headless, web),
		service("alpha", "two-families", headless, web, families(v1.IPFamilyPolicyRequireDualStack, v1.IPv4Protocol, v1.IPv6Protocol)),
		service("alpha", "six-db", headless, web, families(v1.IPFamilyPolicySingleStack, v1.IPv6Protocol)),
		service("alpha", "empty", headless, web),
		service("alpha", "empty-slice", headless, web),
		service("alpha", "unready", headless, web),
		service("alpha", "all", headless, notReadyToo, web),
		service("alpha", "big", headless, web),
		service("alpha", "names", headless, web),
		service("alpha", named, headless, web),
		service("alpha", "several", headless, web),
		service("beta", "db", headless, ports("pg/TCP/5432")),
	}, externals()...)
}

// externals are ExternalName Services, which lead to what exists, what doesn't,
// what fails, and each other.
func externals() []*v1.Service {
	list := []*v1.Service{
		service("alpha", "out", external("www.outside.test")),
		service("alpha", "out-dot", external("www.outside.test.")),
		service("alpha", "out-4", external("www4.outside.test")),
		service("alpha", "out-alias", external("alias.outside.test")),
		service("alpha", "out-lost", external("lost.outside.test")),
		service("alpha", "out-missing", external("missing.outside.test")),
		service("alpha", "out-broken", external("www.broken.test")),
		service("alpha", "out-refused", external("www.elsewhere.test")),
		service("alpha", "out-address", external("192.0.2.99")),
		service("alpha", "out-ports", external("www.outside.test"), web),
		service("alpha", "in-web", external("web.alpha.svc.cluster.local")),
		service("alpha", "in-six", external("six.alpha.svc.cluster.local")),
		service("alpha", "in-db", external("db.alpha.svc.cluster.local")),
		service("alpha", "in-host", external("db-0.db.alpha.svc.cluster.local")),
		service("alpha", "in-missing", external("missing.alpha.svc.cluster.local")),
		service("alpha", "in-nothing", external("nothing.svc.cluster.local")),
		service("alpha", "in-apex", external("cluster.local")),
		service("alpha", "in-out", external("out.alpha.svc.cluster.local")),
		service("alpha", "self", external("self.alpha.svc.cluster.local")),
		service("alpha", "ping", external("pong.alpha.svc.cluster.local")),
		service("alpha", "pong", external("ping.alpha.svc.cluster.local")),
	}
	return slices.Concat(list, chain("chain", "web.beta.svc.cluster.local"), chain("far", "www.outside.test"))
}

// chain is one of eleven links, as many as both follow, with that end.
func chain(name, end string) []*v1.Service {
	var links []*v1.Service
	for i := range 10 {
		target := fmt.Sprintf("%s-%d.beta.svc.cluster.local", name, i+1)
		links = append(links, service("beta", fmt.Sprintf("%s-%d", name, i), external(target)))
	}
	return append(links, service("beta", name+"-10", external(end)))
}
