//go:build e2e

package oracle

import (
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// byHand labels what this test made itself: only that is changed at random, the
// rest is the controllers'.
const byHand = "oracle.test/by-hand"

// part is a part of a Service or of an EndpointSlice.
type part interface{ isPart() }

// serviceOption changes a Service.
type serviceOption func(*v1.ServiceSpec)

// portList is ports as NAME/PROTOCOL/NUMBER; the name may be empty, and, of an
// EndpointSlice, so may be the number.
type portList []string

// endpoint is one of a slice's.
type endpoint discovery.Endpoint

func (serviceOption) isPart() {}
func (portList) isPart()      {}
func (endpoint) isPart()      {}

func ports(list ...string) portList { return list }

func service(namespace, name string, parts ...part) *v1.Service {
	s := &v1.Service{ObjectMeta: made(namespace, name)}
	for _, p := range parts {
		switch p := p.(type) {
		case serviceOption:
			p(&s.Spec)
		case portList:
			s.Spec.Ports = p.ofService()
		}
	}
	return s
}

var headless serviceOption = func(s *v1.ServiceSpec) { s.ClusterIP = v1.ClusterIPNone }

var notReadyToo serviceOption = func(s *v1.ServiceSpec) { s.PublishNotReadyAddresses = true }

func external(name string) serviceOption {
	return func(s *v1.ServiceSpec) { s.Type, s.ExternalName = v1.ServiceTypeExternalName, name }
}

func ofType(t v1.ServiceType) serviceOption {
	return func(s *v1.ServiceSpec) { s.Type = t }
}

func families(policy v1.IPFamilyPolicy, families ...v1.IPFamily) serviceOption {
	return func(s *v1.ServiceSpec) { s.IPFamilyPolicy, s.IPFamilies = &policy, families }
}

func selecting(app string) serviceOption {
	return func(s *v1.ServiceSpec) { s.Selector = map[string]string{"app": app} }
}

// slice is an EndpointSlice of the service; of none, where that is "".
func slice(namespace, name, service string, kind discovery.AddressType, parts ...part) *discovery.EndpointSlice {
	s := &discovery.EndpointSlice{ObjectMeta: made(namespace, name), AddressType: kind}
	if service != "" {
		s.Labels[discovery.LabelServiceName] = service
	}
	for _, p := range parts {
		switch p := p.(type) {
		case endpoint:
			s.Endpoints = append(s.Endpoints, discovery.Endpoint(p))
		case portList:
			s.Ports = p.ofSlice()
		}
	}
	return s
}

func made(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{byHand: ""}}
}

// ready is an endpoint as most are.
func ready(addresses ...string) endpoint {
	return endpoint{Addresses: addresses, Conditions: discovery.EndpointConditions{Ready: new(true)}}
}

func hosted(hostname string, addresses ...string) endpoint {
	e := ready(addresses...)
	e.Hostname = &hostname
	return e
}

// unknown says nothing of its being ready, which counts as ready.
func unknown(addresses ...string) endpoint { return endpoint{Addresses: addresses} }

func notReady(hostname string, addresses ...string) endpoint {
	e := hosted(hostname, addresses...)
	e.Conditions.Ready = new(false)
	return e
}

// terminating still serves, and isn't ready for that it ends.
func terminating(hostname string, addresses ...string) endpoint {
	e := notReady(hostname, addresses...)
	e.Conditions.Serving, e.Conditions.Terminating = new(true), new(true)
	return e
}

// published is a terminating endpoint of a Service with
// publishNotReadyAddresses, as the controller writes it.
func published(hostname string, addresses ...string) endpoint {
	e := terminating(hostname, addresses...)
	e.Conditions.Ready = new(true)
	return e
}

func (l portList) ofService() []v1.ServicePort {
	var list []v1.ServicePort
	for _, text := range l {
		name, protocol, number := portOf(text)
		list = append(list, v1.ServicePort{Name: name, Protocol: protocol, Port: *number})
	}
	return list
}

func (l portList) ofSlice() []discovery.EndpointPort {
	var list []discovery.EndpointPort
	for _, text := range l {
		name, protocol, number := portOf(text)
		list = append(list, discovery.EndpointPort{Name: &name, Protocol: &protocol, Port: number})
	}
	return list
}

func portOf(text string) (name string, protocol v1.Protocol, number *int32) {
	fields := strings.Split(text, "/")
	if n, err := strconv.ParseInt(fields[2], 10, 32); err == nil {
		number = new(int32(n))
	}
	return fields[0], v1.Protocol(fields[1]), number
}
