package model

import (
	"net/netip"
	"slices"
)

// Slice is an EndpointSlice, of one family of addresses.
type Slice struct {
	// Key is "namespace/name"; Service is the Key of its Service.
	Key, Service string
	Ports        []Port
	// Cluster is the member that an imported slice is of (KEP-1645), else "".
	Cluster string
	// Endpoints are those that are ready: those that answers have.
	Endpoints []Endpoint
	// NotReady are the others, nil where there are none, as of most slices.
	NotReady *[]Endpoint
}

// Endpoint is one address.
type Endpoint struct {
	Addr netip.Addr
	// Hostname is "" where the endpoint is named by its address.
	Hostname string
	// Detail is shared by all endpoints that are alike; nil is the zero Detail.
	Detail *EndpointDetail
}

// EndpointDetail is what an endpoint has in common with many others.
type EndpointDetail struct {
	// NotServing and Terminating are its conditions besides ready.
	NotServing, Terminating bool
	// Zone is where it is, ForZones whose clients it is for (hints), "" and nil where that
	// isn't known.
	Zone     string
	ForZones []string
}

var noDetail EndpointDetail

// More returns the endpoint's Detail, which isn't nil.
func (e *Endpoint) More() *EndpointDetail {
	if e.Detail == nil {
		return &noDetail
	}
	return e.Detail
}

// Same reports whether s and o are equal.
func (s *Slice) Same(o *Slice) bool {
	return s.Key == o.Key && s.Service == o.Service && s.Cluster == o.Cluster && slices.Equal(s.Ports, o.Ports) &&
		equalEndpoints(s.Endpoints, o.Endpoints) && equalEndpoints(s.notReady(), o.notReady())
}

func (s *Slice) notReady() []Endpoint {
	if s.NotReady == nil {
		return nil
	}
	return *s.NotReady
}

func equalEndpoints(a, b []Endpoint) bool {
	return slices.EqualFunc(a, b, func(a, b Endpoint) bool {
		if a.Addr != b.Addr || a.Hostname != b.Hostname {
			return false
		}
		if a.Detail == b.Detail {
			return true
		}
		x, y := a.More(), b.More()
		return x.NotServing == y.NotServing && x.Terminating == y.Terminating && x.Zone == y.Zone && slices.Equal(x.ForZones, y.ForZones)
	})
}
