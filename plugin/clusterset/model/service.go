package model

import "net/netip"

// ServiceType is what a Service's name stands for.
type ServiceType uint8

// The types. A node port's and a load balancer's are cluster IPs here.
const (
	// NoService has endpoints, and no Service: its name doesn't exist.
	NoService ServiceType = iota
	// ClusterIP stands for its own addresses.
	ClusterIP
	// Headless stands for the addresses of its endpoints.
	Headless
	// External is another name for ExternalName.
	External
)

// Service is a Service of a member with its endpoints, immutable. All strings are
// as the API has them: lower case but for protocols.
type Service struct {
	// Key is "name.namespace".
	Key  string
	Type ServiceType
	// ClusterIPs has one address of each family that the Service has.
	ClusterIPs   []netip.Addr
	ExternalName string
	Ports        []Port
	// Slices are the Service's EndpointSlices.
	Slices []*Slice
	// Marked is set by another system's sign that the Service is exported;
	// MarkedByCilium where that is Cilium's alone, which doesn't count in a
	// namespace that has opted out.
	Marked, MarkedByCilium bool
}

// Port is a port of a Service or an EndpointSlice.
type Port struct {
	Name, Protocol string
	// Number is NoPort where there is none.
	Number int32
}

// NoPort stands for all ports of what has none: its name exists, its SRV records
// don't.
const NoPort = -1

// Slice is an EndpointSlice, of one family of addresses, with those endpoints
// that are ready.
type Slice struct {
	// Key is "namespace/name"; Service is the Key of its Service.
	Key, Service string
	Ports        []Port
	Endpoints    []Endpoint
}

// Endpoint is one ready address.
type Endpoint struct {
	Addr netip.Addr
	// Hostname is "" where the endpoint is named by its address.
	Hostname string
}
