package clusterset

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/answercache"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/discovery"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// snapshot is all that a query needs to know: immutable, swapped as a whole.
type snapshot struct {
	set     *model.ClusterSet
	members map[string]*clusterMember
	// branches are what members' names of two labels end in.
	branches map[string]bool
	// ranges are the members' CIDRs; without a local member, of all as one network.
	ranges *model.Ranges
	// gateways are all members'.
	gateways map[netip.Addr]bool
	// localName is what the Corefile or the About API calls this cluster, or "".
	localName string
	// local is the member of that name, nil when that isn't known.
	local *clusterMember
}

// watched are a member's data.
type watched interface {
	// View is what they are now: one atomic load.
	View() *member.View
	// Synced is closed when there were any.
	Synced() <-chan struct{}
	release()
}

// clusterMember is one member as it is asked: its description and its client.
type clusterMember struct {
	*model.Cluster
	client *exchange.Client
	// inflight are its queries, and the look-ups of what its CNAMEs lead to.
	inflight *exchange.Inflight
	answers  *answercache.Member // nil without a cache
	api      watched             // nil for one whose data aren't
	metrics  *memberMetrics
	// broken is what is wrong with its TLS material, so that it can't be asked.
	broken error
	// watch is whether its data are to be watched.
	watch bool
	// pem is the TLS material the client was made with.
	pem discovery.TLSMaterial
}

// sameAs tells whether m serves for next, a member to be built.
func (m *clusterMember) sameAs(next *clusterMember) bool {
	return m.Equal(next.Cluster) && (m.api != nil) == next.watch && m.pem.Equal(next.pem) && fmt.Sprint(m.broken) == fmt.Sprint(next.broken)
}

// newSnapshot is a snapshot without its members.
func newSnapshot(set *model.ClusterSet, local string) *snapshot {
	s := &snapshot{
		set: set, localName: local,
		members: make(map[string]*clusterMember, len(set.Clusters)), branches: make(map[string]bool), gateways: make(map[netip.Addr]bool),
	}
	for _, c := range set.Clusters {
		for _, gateway := range c.Gateways {
			s.gateways[gateway] = true
		}
		if _, branch, two := strings.Cut(c.Name, "."); two {
			s.branches[branch] = true
		}
	}
	return s
}

// settle fills in what follows from the members.
func (s *snapshot) settle() {
	s.local = s.members[s.localName]
	if s.local == nil {
		s.ranges = model.NewRangesOfAll(s.set.Clusters)
		return
	}
	s.ranges = model.NewRanges(s.set.Clusters)
}

// network is the one whose addresses mean something here: the local member's, or all as
// one while nobody says which one is ours.
func (s *snapshot) network() string {
	if s.local == nil {
		return ""
	}
	return s.local.Network
}

// IsMember implements query.Names.
func (s *snapshot) IsMember(name string) bool {
	_, ok := s.members[strings.ToLower(name)]
	return ok
}

// IsBranch implements query.Names: "eu" of a member "c1.eu".
func (s *snapshot) IsBranch(name string) bool { return s.branches[strings.ToLower(name)] }

// owner is the member that has addr, if there is just one.
func (s *snapshot) owner(addr netip.Addr) (m *clusterMember, shared bool) {
	owner, shared := s.ranges.Owner(s.network(), addr)
	if owner == nil {
		return nil, shared
	}
	return s.members[owner.Name], false
}

// isAbove reports whether members have some of those addresses.
func (s *snapshot) isAbove(addresses netip.Prefix) bool {
	return s.ranges.Overlap(s.network(), addresses)
}

func (s *snapshot) member(name string) *clusterMember { return s.members[strings.ToLower(name)] }

// foreign tells whether m's service addresses mean nothing here, so that its
// gateways stand for them (split horizon).
func (s *snapshot) foreign(m *clusterMember) bool {
	return s.local != nil && s.local.Network != m.Network
}
