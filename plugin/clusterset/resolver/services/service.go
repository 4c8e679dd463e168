package services

import (
	"net/netip"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/selection"
)

// Service is what is known of a service of the whole ClusterSet: which members have it, and
// which of them answer. It is immutable, and made anew where something changed.
type Service struct {
	Key string // "name.namespace"
	// Set, epoch and sources are what it was made of, and until is when it is looked at again:
	// an epoch shows neither gateways nor round-trip times.
	Set     *members.Set
	epoch   uint64
	until   time.Time
	sources []source

	// Candidates can be chosen. Parts and Addresses are what each of them answers with; Plan
	// has them by their index.
	Candidates []selection.Candidate
	Parts      []*query.Part
	Addresses  [][]netip.Addr
	Plan       *selection.Plan
	// together are the addresses of all members of a priority.
	together [][]netip.Addr
	// ByHostname is whether a member answers with names of load balancers.
	ByHostname bool
	rules      selection.Rules
	// rule is where the rules are from, and window how long a client keeps its members.
	rule   Rule
	window time.Duration

	// Ask are the members that only their DNS can tell of, the local one first; Unknown those
	// that nobody can, and Out those that have it and don't answer, with why.
	Ask     []*members.Member
	Unknown []Excluded
	Out     []Excluded
	// Denied is set where clients of this cluster may not look it up.
	Denied bool
	// Serial is the newest of the data's, for the SOA; 0 where no data have the service.
	Serial uint32
}

// Excluded is a member that isn't a candidate.
type Excluded struct {
	Member *members.Member // nil for the imports
	Err    error
	Code   uint16 // of the extended error; members.NoExtendedError where it is as if it hadn't the service
}

func newExcluded(m *members.Member, why error, code uint16) Excluded {
	return Excluded{m, m.Failed(why), code}
}

// Choose returns the addresses of the members that a client gets now, and who they are.
func (s *Service) Choose(client netip.Addr, now time.Time) (selection.Choice, []netip.Addr) {
	choice := s.Plan.Pick(s.Draw(client, now))
	switch chosen := choice.Members(); len(chosen) {
	case 0:
		return choice, nil
	case 1:
		return choice, s.Addresses[chosen[0]]
	default:
		return choice, s.together[s.Plan.Tier(chosen[0])]
	}
}

// Draw returns the client's, of now.
func (s *Service) Draw(client netip.Addr, now time.Time) selection.Draw {
	return selection.NewDraw(client, s.Key, now, s.window)
}

// IsLive reports whether a member answers, by fresh data.
func (s *Service) IsLive() bool {
	for i := range s.Candidates {
		if !s.Candidates[i].Stale && s.Plan.Tier(i) >= 0 {
			return true
		}
	}
	return false
}

// IsLocalFirst reports whether the local cluster answers alone where it has the service.
func (s *Service) IsLocalFirst() bool {
	prefers := s.rules.Affinity == model.AffinityLocal || s.rules.Affinity == model.AffinityNearest
	return s.rules.LocalOnly || prefers && s.rules.Weights == nil && s.rules.Failover == nil
}

// IsLocalReady reports whether the local cluster answers, by its data, whatever others have.
func (s *Service) IsLocalReady() bool {
	for i := range s.Candidates {
		c := &s.Candidates[i]
		if c.Local && !c.Stale {
			return s.IsLocalFirst() && s.Plan.Tier(i) == 0 && s.Plan.Loads()[0] == 100
		}
	}
	return false
}

// PartsOf returns those of members.
func (s *Service) PartsOf(members []int) []*query.Part {
	var parts []*query.Part
	for _, i := range members {
		parts = append(parts, s.Parts[i])
	}
	return parts
}

// OnlyName returns the one host name that the choice stands for; "" where there are addresses,
// or several.
func (s *Service) OnlyName(choice selection.Choice) string {
	chosen := choice.Members()
	if len(chosen) != 1 || len(s.Addresses[chosen[0]]) > 0 || len(s.Parts[chosen[0]].Hostnames) != 1 {
		return ""
	}
	return s.Parts[chosen[0]].Hostnames[0]
}
