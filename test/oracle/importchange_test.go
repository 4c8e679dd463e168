//go:build e2e

package oracle

import (
	"fmt"
	"math/rand/v2"

	discovery "k8s.io/api/discovery/v1"
	mcs "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
)

// importSteps are the changes of imports and their slices, the likely ones more than once.
var importSteps = []func(*api, *rand.Rand){
	(*api).stepNewNamespace,
	(*api).stepNewImport, (*api).stepNewImport,
	(*api).stepDeleteImport,
	(*api).stepImportPorts,
	(*api).stepImportIPs,
	(*api).stepImportType,
	(*api).stepNewImported, (*api).stepNewImported,
	(*api).stepDeleteSlice,
	(*api).stepMoveImported, (*api).stepMoveImported,
	(*api).stepSlicePorts,
	(*api).stepReadiness, (*api).stepReadiness, (*api).stepReadiness,
	(*api).stepHostname, (*api).stepHostname,
	(*api).stepEndpoints, (*api).stepEndpoints,
}

// stepNewImport makes one of a name that may have been used before.
func (a *api) stepNewImport(random *rand.Rand) {
	kind := headlessImport
	if random.IntN(2) == 0 {
		kind = randomIPs(random)
	}
	a.createImport(serviceImport(pick(random, "alpha", "beta", "nothing", "svc", "c1"), randomImportName(random), randomImportPorts(random), kind))
}

func (a *api) stepDeleteImport(random *rand.Rand) {
	if s := a.anyImport(random); s != nil {
		a.deleteImport(s)
	}
}

func (a *api) stepImportPorts(random *rand.Rand) {
	a.changeImport(random, func(s *mcs.ServiceImportSpec) { s.Ports = randomImportPorts(random).ofImport() })
}

func (a *api) stepImportIPs(random *rand.Rand) { a.changeImport(random, randomIPs(random)) }

func (a *api) stepImportType(random *rand.Rand) {
	a.changeImport(random, func(s *mcs.ServiceImportSpec) {
		if s.Type = mcs.Headless; random.IntN(2) == 0 {
			s.Type = mcs.ClusterSetIP
		}
	})
}

// stepNewImported makes a slice of an import, or of none.
func (a *api) stepNewImported(random *rand.Rand) {
	namespace, of := pick(random, "alpha", "beta", "nothing", "svc", "c1"), randomImportName(random)
	if s := a.anyImport(random); s != nil {
		namespace, of = s.Namespace, s.Name
	}
	parts, family := []part{randomImportPorts(random)}, []discovery.AddressType{ipv4, ipv4, ipv6}[random.IntN(3)]
	for range random.IntN(5) {
		e := randomEndpoint(random)
		if family == ipv6 {
			e.Addresses = []string{fmt.Sprintf("fd00:51::%x", 1+random.IntN(20))}
		}
		parts = append(parts, e)
	}
	a.createSlice(importedSlice(namespace, a.newName("slice"), of, randomCluster(random), family, parts...))
}

// stepMoveImported gives a slice to another import, or cluster, or takes it from all.
func (a *api) stepMoveImported(random *rand.Rand) {
	s := a.anySlice(random)
	if s == nil {
		return
	}
	switch random.IntN(5) {
	case 0:
		delete(s.Labels, mcs.LabelServiceName)
	case 1, 2:
		s.Labels[mcs.LabelServiceName], s.Labels[mcs.LabelSourceCluster] = randomImportName(random), randomCluster(random)
	default:
		s.Labels[mcs.LabelSourceCluster] = randomCluster(random)
	}
	a.updateSlice(s)
}

func (a *api) changeImport(random *rand.Rand, edit importOption) {
	if s := a.anyImport(random); s != nil {
		edit(&s.Spec)
		a.updateImport(s)
	}
}

func (a *api) anyImport(random *rand.Rand) *mcs.ServiceImport {
	a.t.Helper()
	var list []*mcs.ServiceImport
	all := a.listImports()
	for i := range all {
		if s := &all[i]; changeable(s.ObjectMeta, s.Name) {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return list[random.IntN(len(list))]
}

func randomImportName(random *rand.Rand) string {
	return pick(random, "web", "db", "s-1", "s-2", "s-3", "split", "dotted", "bare")
}

func randomCluster(random *rand.Rand) string {
	return pick(random, "c1", "c2", "c-3", "eu", "c1.eu", "c2.eu", "svc")
}

// randomImportPorts may be none.
func randomImportPorts(random *rand.Rand) portList {
	if random.IntN(5) == 0 {
		return nil
	}
	return randomPorts(random)
}

// randomIPs are at most one of each family.
func randomIPs(random *rand.Rand) importOption {
	four, six := fmt.Sprintf("10.102.1.%d", random.IntN(20)), fmt.Sprintf("fd00:102::%x", 1+random.IntN(20))
	lists := [][]string{{four}, {six}, {four, six}, {six, four}, nil}
	ips := setIPs(lists[random.IntN(len(lists))]...)
	return func(s *mcs.ServiceImportSpec) {
		s.Type = mcs.ClusterSetIP
		ips(s)
	}
}
