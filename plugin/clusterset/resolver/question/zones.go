package question

import (
	"slices"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

// Kind is what the names of a zone stand for.
type Kind uint8

const (
	// ClusterZone has a subzone for each member: "lan.".
	ClusterZone Kind = iota
	// ReverseZone has the names of addresses: "10.in-addr.arpa.".
	ReverseZone
	// ClustersetZone has names over the whole ClusterSet: "clusterset.local.".
	ClustersetZone
)

// Zone is a zone of the server block.
type Zone struct {
	// Name is fully qualified and in lower case.
	Name string
	Kind Kind
}

// Zones are a server block's.
type Zones struct {
	// byLength has the longest ones first.
	byLength []*Zone
	// primary is where PTR records point into: the first cluster zone, or nil.
	primary *Zone
}

// NewZones returns the zones of those names, which are normalized; some of them are
// clusterset zones.
func NewZones(names, clusterset []string) Zones {
	var zones Zones
	for _, name := range names {
		zone := &Zone{Name: name}
		switch {
		case query.IsReverse(name):
			zone.Kind = ReverseZone
		case slices.Contains(clusterset, name):
			zone.Kind = ClustersetZone
		case zones.primary == nil:
			zones.primary = zone
		}
		zones.byLength = append(zones.byLength, zone)
	}
	slices.SortStableFunc(zones.byLength, func(a, b *Zone) int { return len(b.Name) - len(a.Name) })
	return zones
}

// Find returns the longest zone that holds a name, or nil.
func (z *Zones) Find(name string) *Zone {
	for _, zone := range z.byLength {
		if query.InZone(name, zone.Name) {
			return zone
		}
	}
	return nil
}

// Primary returns the name of the zone that PTR records point into, "" where none is a cluster
// zone.
func (z *Zones) Primary() string {
	if z.primary == nil {
		return ""
	}
	return z.primary.Name
}

// MemberZone returns the zone in which members are asked for parts of an answer. Its names
// aren't seen by anybody.
func (z *Zones) MemberZone() *Zone {
	if z.primary != nil {
		return z.primary
	}
	return &Zone{Name: "members.invalid."}
}

// PointersInto returns the domain of the names that a member's addresses have.
func (z *Zones) PointersInto(m *members.Member) string { return m.Name + "." + z.Primary() }

// AnyBelow reports whether a zone is name, or below it.
func (z *Zones) AnyBelow(name string) bool {
	return slices.ContainsFunc(z.byLength, func(zone *Zone) bool { return query.InZone(zone.Name, name) })
}
