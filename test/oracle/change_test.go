//go:build e2e

package oracle

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// changes is how many there are in a round.
const changes = 60

// Namespaces that come and go in certain rounds: what they are for is not left to
// chance, and to delete one takes the controller five seconds.
const (
	late, lateRound = "dns", 2 // ns.dns is the zone's name server too
	goes, goesRound = "gone-soon", 1
)

// change changes the data at random.
func (a *api) change(random *rand.Rand, round int) {
	a.t.Helper()
	if a.mcs != nil {
		for range changes {
			importSteps[random.IntN(len(importSteps))](a, random)
		}
		return
	}
	switch round {
	case lateRound:
		a.createNamespace(late)
		a.createService(service(late, "ns", web))
	case goesRound:
		a.deleteNamespace(goes)
	}
	for range changes {
		steps[random.IntN(len(steps))](a, random)
	}
}

// deleteNamespace returns when the controller has deleted all that was in it. Where
// namespaces stay, only what was made in it goes.
func (a *api) deleteNamespace(name string) {
	a.t.Helper()
	if a.keep {
		a.empty(func(o metav1.ObjectMeta) bool { return o.Namespace == name })
		return
	}
	a.services, a.slices = "", ""
	a.must(a.client.CoreV1().Namespaces().Delete(a.t.Context(), name, metav1.DeleteOptions{}))
	harness.Eventually(a.t, limit, "the namespace's end", func() error {
		_, err := a.client.CoreV1().Namespaces().Get(a.t.Context(), name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case err == nil:
			return errors.New("it is there")
		}
		return err
	})
}

// steps are the changes there are, the likely ones more than once.
var steps = []func(*api, *rand.Rand){
	(*api).stepNewNamespace,
	(*api).stepNewService, (*api).stepNewService,
	(*api).stepDeleteService,
	(*api).stepServicePorts, (*api).stepServicePorts,
	(*api).stepRetarget,
	(*api).stepNewSlice, (*api).stepNewSlice,
	(*api).stepDeleteSlice,
	(*api).stepMoveSlice,
	(*api).stepSlicePorts,
	(*api).stepReadiness, (*api).stepReadiness, (*api).stepReadiness,
	(*api).stepHostname, (*api).stepHostname,
	(*api).stepEndpoints, (*api).stepEndpoints,
}

func (a *api) stepNewNamespace(*rand.Rand) { a.createNamespace(a.newName("namespace")) }

// stepNewService makes one of a name that may have been used before.
func (a *api) stepNewService(random *rand.Rand) {
	name, namespace := pick(random, "web", "db", "s-1", "s-2", "s-3", "s-4", "split", "big"), pick(random, "alpha", "beta", "nothing", "a-1", "svc", "c1")
	kinds := [][]part{
		{web}, {randomPorts(random)}, {headless}, {headless, randomPorts(random)},
		{external(randomTarget(random))},
		{web, families(v1.IPFamilyPolicyRequireDualStack, v1.IPv6Protocol, v1.IPv4Protocol)},
	}
	s := service(namespace, name, kinds[random.IntN(len(kinds))]...)
	if !slices.ContainsFunc(a.listServices(), func(other v1.Service) bool { return other.Namespace == namespace && other.Name == name }) {
		a.createService(s)
	}
}

func (a *api) stepDeleteService(random *rand.Rand) {
	if s := a.anyService(random, func(*v1.Service) bool { return true }); s != nil {
		a.deleteService(s)
	}
}

func (a *api) stepServicePorts(random *rand.Rand) {
	if s := a.anyService(random, func(s *v1.Service) bool { return s.Spec.Type == v1.ServiceTypeClusterIP }); s != nil {
		s.Spec.Ports = randomPorts(random).ofService()
		a.updateService(s)
	}
}

// stepRetarget changes where an ExternalName leads to.
func (a *api) stepRetarget(random *rand.Rand) {
	if s := a.anyService(random, func(s *v1.Service) bool { return s.Spec.Type == v1.ServiceTypeExternalName }); s != nil {
		s.Spec.ExternalName = randomTarget(random)
		a.updateService(s)
	}
}

func (a *api) stepNewSlice(random *rand.Rand) {
	s := a.anyService(random, func(*v1.Service) bool { return true })
	if s == nil {
		return
	}
	parts := []part{randomPorts(random)}
	for range random.IntN(5) {
		parts = append(parts, randomEndpoint(random))
	}
	a.createSlice(slice(s.Namespace, a.newName("slice"), s.Name, ipv4, parts...))
}

func (a *api) stepDeleteSlice(random *rand.Rand) {
	if s := a.anySlice(random); s != nil {
		a.deleteSlice(s)
	}
}

// stepMoveSlice gives a slice to another service.
func (a *api) stepMoveSlice(random *rand.Rand) {
	if s := a.anySlice(random); s != nil {
		s.Labels[discovery.LabelServiceName] = pick(random, "web", "db", "s-1", "s-2", "big", "missing")
		a.updateSlice(s)
	}
}

func (a *api) stepSlicePorts(random *rand.Rand) {
	if s := a.anySlice(random); s != nil {
		s.Ports = randomPorts(random).ofSlice()
		a.updateSlice(s)
	}
}

func (a *api) stepReadiness(random *rand.Rand) {
	a.changeEndpoint(random, func(e *discovery.Endpoint) {
		e.Conditions.Ready = []*bool{new(true), new(false), nil}[random.IntN(3)]
	})
}

func (a *api) stepHostname(random *rand.Rand) {
	a.changeEndpoint(random, func(e *discovery.Endpoint) {
		e.Hostname = new(fmt.Sprintf("host-%d", random.IntN(9)))
		if random.IntN(3) == 0 {
			e.Hostname = nil
		}
	})
}

// stepEndpoints adds an endpoint, or takes one away.
func (a *api) stepEndpoints(random *rand.Rand) {
	s := a.anySlice(random)
	if s == nil || s.AddressType != ipv4 {
		return
	}
	if n := len(s.Endpoints); n > 0 && random.IntN(2) == 0 {
		i := random.IntN(n)
		s.Endpoints = append(s.Endpoints[:i], s.Endpoints[i+1:]...)
	} else {
		s.Endpoints = append(s.Endpoints, discovery.Endpoint(randomEndpoint(random)))
	}
	a.updateSlice(s)
}

func (a *api) changeEndpoint(random *rand.Rand, edit func(*discovery.Endpoint)) {
	if s := a.anySlice(random); s != nil && len(s.Endpoints) > 0 {
		edit(&s.Endpoints[random.IntN(len(s.Endpoints))])
		a.updateSlice(s)
	}
}
