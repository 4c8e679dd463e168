//go:build e2e

package oracle

import (
	"fmt"
	"math/rand/v2"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func pick(random *rand.Rand, from ...string) string { return from[random.IntN(len(from))] }

func randomPorts(random *rand.Rand) portList {
	lists := []portList{web, many, ports("/TCP/80"), ports("http/TCP/81", "https/TCP/443"), ports("pg/TCP/5432"), ports("dns/UDP/53")}
	return lists[random.IntN(len(lists))]
}

func randomTarget(random *rand.Rand) string {
	return pick(random, "www.outside.test", "missing.outside.test", "web.alpha.svc.cluster.local", "db.beta.svc.cluster.local",
		"s-1.beta.svc.cluster.local", "out.alpha.svc.cluster.local", "missing.alpha.svc.cluster.local")
}

// randomEndpoint has an address of few, so that many are there twice.
func randomEndpoint(random *rand.Rand) endpoint {
	address := fmt.Sprintf("10.51.30.%d", random.IntN(40))
	hostname := fmt.Sprintf("host-%d", random.IntN(9))
	kinds := []endpoint{ready(address), hosted(hostname, address), unknown(address), notReady(hostname, address), terminating(hostname, address)}
	return kinds[random.IntN(len(kinds))]
}

// anyService is one of those that may change and suit, or nil.
func (a *api) anyService(random *rand.Rand, suits func(*v1.Service) bool) *v1.Service {
	a.t.Helper()
	var list []*v1.Service
	all := a.listServices()
	for i := range all {
		if s := &all[i]; changeable(s.ObjectMeta, s.Name) && suits(s) {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list[random.IntN(len(list))]
}

func (a *api) anySlice(random *rand.Rand) *discovery.EndpointSlice {
	a.t.Helper()
	var list []*discovery.EndpointSlice
	all := a.listSlices()
	for i := range all {
		if s := &all[i]; changeable(s.ObjectMeta, s.Labels[discovery.LabelServiceName]) {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list[random.IntN(len(list))]
}

// changeable is false for what controllers made, for the marks, and for the
// Service with the FQDN slice, which has to stay alone.
func changeable(o metav1.ObjectMeta, service string) bool {
	_, ok := o.Labels[byHand]
	return ok && o.Namespace != marks && service != named
}
