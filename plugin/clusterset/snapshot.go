package clusterset

import (
	"net/netip"
	"strings"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// snapshot is all that a query needs to know: immutable, swapped as a whole.
type snapshot struct {
	set     *model.ClusterSet
	members map[string]*member
	// branches are what members' names of two labels end in.
	branches map[string]bool
	ranges   *model.Ranges
	// local is the member this CoreDNS runs in, nil when that isn't known.
	local *member
	// networks are the networks whose addresses mean something here: the local
	// member's one, or all of them while nobody says which one is ours.
	networks []string
}

// member is one member as it is asked: its description and its client.
type member struct {
	*model.Cluster
	client  *exchange.Client
	metrics *memberMetrics
	// broken is why the member can't be asked, nil when it can.
	broken error
	// material is the TLS material the client was made with.
	material exchange.TLSMaterial
}

// IsMember implements query.Names.
func (s *snapshot) IsMember(name string) bool {
	_, ok := s.members[strings.ToLower(name)]
	return ok
}

// IsBranch implements query.Names: "eu" of a member "c1.eu".
func (s *snapshot) IsBranch(name string) bool { return s.branches[strings.ToLower(name)] }

// owner is the member that has addr, if there is just one.
func (s *snapshot) owner(addr netip.Addr) (m *member, shared bool) {
	for _, network := range s.networks {
		owner, several := s.ranges.Owner(network, addr)
		if several || (owner != nil && m != nil) {
			return nil, true
		}
		if owner != nil {
			m = s.members[owner.Name]
		}
	}
	return m, false
}

func (s *snapshot) member(name string) *member { return s.members[strings.ToLower(name)] }

// foreign tells whether m's service addresses mean nothing here, so that its
// gateways stand for them (split horizon).
func (s *snapshot) foreign(m *member) bool {
	return s.local != nil && s.local.Network != m.Network
}
