package members

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

// Set is the members in force: all that a query needs to know. It is immutable and
// swapped as a whole.
type Set struct {
	// Local is the member that this server runs in, nil where that isn't known.
	Local *Member
	// Names are the members'.
	Names *query.Names
	// Imports are the ServiceImports of the API that this CoreDNS has, with their slices, as
	// Services; nil where they aren't watched.
	Imports Data

	set    *model.ClusterSet
	byName map[string]*Member
	// ranges are the members' CIDRs; without a local member, of all as one network.
	ranges   *model.Ranges
	gateways map[netip.Addr]bool
	// localName is what the Corefile or the About API calls this cluster, or "".
	localName string
}

// NewSet returns the set of those members, one for each cluster.
func NewSet(set *model.ClusterSet, byName map[string]*Member, localName string) *Set {
	s := &Set{
		set: set, byName: byName, localName: localName, Local: byName[localName],
		Names: query.NewNames(slices.Collect(maps.Keys(byName))), gateways: make(map[netip.Addr]bool),
	}
	for _, c := range set.Clusters {
		for _, gateway := range c.Gateways {
			s.gateways[gateway] = true
		}
	}
	if s.Local == nil {
		s.ranges = model.NewRangesOfAll(set.Clusters)
	} else {
		s.ranges = model.NewRanges(set.Clusters)
	}
	return s
}

// All returns the members by name. It is not to be changed.
func (s *Set) All() map[string]*Member { return s.byName }

// Member returns the member of that name, in any case, or nil.
func (s *Set) Member(name string) *Member { return s.byName[strings.ToLower(name)] }

// Owner returns the member that has addr in its CIDRs, if just one has, and reports whether
// several have.
func (s *Set) Owner(addr netip.Addr) (m *Member, shared bool) {
	owner, shared := s.ranges.Owner(s.network(), addr)
	if owner == nil {
		return nil, shared
	}
	return s.byName[owner.Name], false
}

// Overlaps reports whether members have some of those addresses.
func (s *Set) Overlaps(addresses netip.Prefix) bool {
	return s.ranges.Overlap(s.network(), addresses)
}

// Foreign reports whether the addresses of m's services mean nothing in this network, so
// that its gateways stand for them (split horizon).
func (s *Set) Foreign(m *Member) bool {
	return s.Local != nil && s.Local.Network != m.Network
}

// IsOthers reports whether addr, which isn't m's, is another member's; m is nil for a name
// of none. Addresses mean something within a network, and gateways everywhere.
func (s *Set) IsOthers(m *Member, addr netip.Addr) bool {
	if s.gateways[addr] {
		return true
	}
	network := s.network()
	if m != nil && s.Local != nil {
		network = m.Network
	}
	owner, shared := s.ranges.Owner(network, addr)
	return owner != nil || shared
}

// network is the one whose addresses mean something in this server: the local member's, or
// all as one while it isn't known which member is local.
func (s *Set) network() string {
	if s.Local == nil {
		return ""
	}
	return s.Local.Network
}
