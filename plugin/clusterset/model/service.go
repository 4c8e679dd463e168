package model

import (
	"net/netip"
	"slices"
	"strings"
)

// ServiceType is what a Service's name stands for.
type ServiceType uint8

// The types. NodePort and LoadBalancer Services are of type ClusterIP here.
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

// Service is a Service of a member with its endpoints, immutable. All strings are as the
// API has them: lower case but for protocols. Answers of cluster-zone names need what is
// down to Slices, names over the whole ClusterSet the rest.
type Service struct {
	// Key is "name.namespace".
	Key  string
	Type ServiceType
	// Marked is set where another system's mark exports the Service; MarkedByCilium where
	// that is Cilium's alone, which doesn't count in a namespace that opted out.
	Marked, MarkedByCilium bool
	// ClusterIPs has one address of each family that the Service has.
	ClusterIPs   []netip.Addr
	ExternalName string
	Ports        []Port
	// Slices are the Service's EndpointSlices.
	Slices []*Slice

	Marks Marks
	// CiliumAffinity is service.cilium.io/affinity.
	CiliumAffinity Affinity
	Distribution   TrafficDistribution
	// InternalLocal is set by internalTrafficPolicy Local: for clients of its own cluster
	// alone.
	InternalLocal bool
	// SessionAffinity is the timeout of sessionAffinity ClientIP, in seconds; 0 is none.
	SessionAffinity uint32
	// Outside is nil for most Services.
	Outside *Outside
}

// Outside is how clients outside of the cluster reach a Service.
type Outside struct {
	// LoadBalancers and Hostnames are status.loadBalancer's.
	LoadBalancers []netip.Addr
	Hostnames     []string
	ExternalIPs   []netip.Addr
}

// Namespace returns its namespace.
func (s *Service) Namespace() string { return s.Key[strings.IndexByte(s.Key, '.')+1:] }

// IsGlobal reports whether Cilium has the Service global; nil isn't. For clients of its own
// cluster that counts although it isn't shared with others.
func (s *Service) IsGlobal() bool { return s != nil && s.Marks&CiliumGlobal != 0 }

// Same reports whether s and o are equal, their Slices aside.
func (s *Service) Same(o *Service) bool {
	return s.Key == o.Key && s.Type == o.Type && s.ExternalName == o.ExternalName && s.sameTraffic(o) &&
		s.Marked == o.Marked && s.MarkedByCilium == o.MarkedByCilium && s.Marks == o.Marks &&
		slices.Equal(s.ClusterIPs, o.ClusterIPs) && slices.Equal(s.Ports, o.Ports) && s.Outside.equal(o.Outside)
}

func (s *Service) sameTraffic(o *Service) bool {
	return s.CiliumAffinity == o.CiliumAffinity && s.Distribution == o.Distribution &&
		s.InternalLocal == o.InternalLocal && s.SessionAffinity == o.SessionAffinity
}

func (a *Outside) equal(b *Outside) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.Equal(a.LoadBalancers, b.LoadBalancers) && slices.Equal(a.Hostnames, b.Hostnames) && slices.Equal(a.ExternalIPs, b.ExternalIPs)
}

// Marks are the marks of other systems that a Service has, one bit each.
type Marks uint8

// The marks.
const (
	// CiliumGlobal is service.cilium.io/global: "true", CiliumUnshared
	// service.cilium.io/shared: "false".
	CiliumGlobal Marks = 1 << iota
	CiliumUnshared
	// LinkerdExported is mirror.linkerd.io/exported: "true", LinkerdDiscovery the same
	// with "remote-discovery", and LinkerdFederated mirror.linkerd.io/federated: member.
	LinkerdExported
	LinkerdDiscovery
	LinkerdFederated
)

// TrafficDistribution is a Service's trafficDistribution.
type TrafficDistribution uint8

// The distributions. PreferClose is the old name of PreferSameZone.
const (
	DistributeEvenly TrafficDistribution = iota
	PreferSameZone
	PreferSameNode
)

// Port is a port of a Service or an EndpointSlice.
type Port struct {
	Name, Protocol string
	// Number is NoPort where there is none.
	Number int32
}

// NoPort stands for all ports of what has none: its name exists, its SRV records
// don't.
const NoPort = -1
