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
	// Reach is which of a member's addresses clients here can connect to, in the order to
	// prefer. It doesn't have those that are reached by what their names stand for in their own
	// clusters, as most are: of these, addresses are given as they are. It is not to be changed.
	Reach map[*Member][]model.Reach

	set    *model.ClusterSet
	byName map[string]*Member
	sorted []*Member
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
		Reach: make(map[*Member][]model.Reach),
	}
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		s.sorted = append(s.sorted, byName[name])
	}
	for _, c := range set.Clusters {
		for _, gateway := range c.Gateways {
			s.gateways[gateway] = true
		}
	}
	for _, m := range byName {
		if reach := s.reach(m); len(reach) > 0 && reach[0] != model.ReachServices {
			s.Reach[m] = reach
		}
	}
	if s.Local == nil {
		s.ranges = model.NewRangesOfAll(set.Clusters)
	} else {
		s.ranges = model.NewRanges(set.Clusters)
	}
	return s
}

// LocalName is what the Corefile or the About API calls this cluster, or "".
func (s *Set) LocalName() string { return s.localName }

// All returns the members by name. It is not to be changed.
func (s *Set) All() map[string]*Member { return s.byName }

// Member returns the member of that name, in any case, or nil.
func (s *Set) Member(name string) *Member { return s.byName[strings.ToLower(name)] }

// Sorted returns the members by their names.
func (s *Set) Sorted() []*Member { return s.sorted }

// Policy returns the one for a service, nil where there is none.
func (s *Set) Policy(namespace, name string) *model.Policy { return s.set.Policy(namespace, name) }

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

// reach returns which of a member's addresses clients here can connect to, nil for all that its
// names stand for: the local cluster's, and, while that isn't known, those of members that don't
// say.
func (s *Set) reach(m *Member) []model.Reach {
	switch s.Local {
	case m:
		return nil
	case nil:
		return m.Reach
	}
	return m.ReachFrom(s.Local.Network)
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
