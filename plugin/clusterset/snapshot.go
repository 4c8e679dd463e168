package clusterset

import (
	"strings"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// snapshot is all that a query needs to know: immutable, swapped as a whole.
type snapshot struct {
	set     *model.ClusterSet
	members map[string]*member
	ranges  *model.Ranges
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

// isMember tells whether a member has that name, in whatever case.
func (s *snapshot) isMember(name string) bool {
	_, ok := s.members[strings.ToLower(name)]
	return ok
}

func (s *snapshot) member(name string) *member { return s.members[strings.ToLower(name)] }

// foreign tells whether m's service addresses mean nothing here, so that its
// gateways stand for them (split horizon).
func (s *snapshot) foreign(m *member) bool {
	return s.local != nil && s.local.Network != m.Network
}
