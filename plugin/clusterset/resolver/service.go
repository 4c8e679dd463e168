package resolver

import (
	"net/netip"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/selection"
)

// service is what is known of a service of the whole ClusterSet: which members have it, and
// which of them answer. It is immutable, and made anew where something changed.
type service struct {
	key string // "name.namespace"
	// set, epoch and sources are what it was made of, and until is when it is looked at again:
	// an epoch shows neither gateways nor round-trip times.
	set     *members.Set
	epoch   uint64
	until   time.Time
	sources []source

	// candidates can be chosen; parts and addresses are what they answer with.
	candidates []selection.Candidate
	parts      []*query.Part
	addresses  [][]netip.Addr
	plan       *selection.Plan
	// together are the addresses of all members of a priority.
	together [][]netip.Addr
	// byHostname is whether a member answers with names of load balancers.
	byHostname bool
	rules      selection.Rules
	// rule is where the rules are from, and window how long a client keeps its members.
	rule   Rule
	window time.Duration

	// ask are the members that only their DNS can tell of, the local one first; unknown those
	// that nobody can, and out those that have it and don't answer, with why.
	ask     []*members.Member
	unknown []excluded
	out     []excluded
	// denied is set where clients of this cluster may not look it up.
	denied bool
	serial uint32
}

// excluded is a member that isn't a candidate.
type excluded struct {
	member *members.Member // nil for the imports
	err    error
	code   uint16 // of the extended error; NoExtendedError where it is as if it hadn't the service
}

func newExcluded(m *members.Member, why error, code uint16) excluded {
	return excluded{m, memberError(m, why), code}
}

// choose returns the addresses of the members that a client gets, and who they are.
func (s *service) choose(q *Question) (selection.Choice, []netip.Addr) {
	choice := s.plan.Pick(s.draw(q))
	switch chosen := choice.Members(); len(chosen) {
	case 0:
		return choice, nil
	case 1:
		return choice, s.addresses[chosen[0]]
	default:
		return choice, s.together[s.plan.Tier(chosen[0])]
	}
}

// draw returns the client's, of now.
func (s *service) draw(q *Question) selection.Draw {
	return selection.NewDraw(q.Client.Address(), s.key, q.Received, s.window)
}

// isLive reports whether a member answers, by fresh data.
func (s *service) isLive() bool {
	for i := range s.candidates {
		if !s.candidates[i].Stale && s.plan.Tier(i) >= 0 {
			return true
		}
	}
	return false
}

// isLocalFirst reports whether the local cluster answers alone where it has the service.
func (s *service) isLocalFirst() bool {
	prefers := s.rules.Affinity == model.AffinityLocal || s.rules.Affinity == model.AffinityNearest
	return s.rules.LocalOnly || prefers && s.rules.Weights == nil && s.rules.Failover == nil
}

// isLocalReady reports whether the local cluster answers, by its data, whatever others have.
func (s *service) isLocalReady() bool {
	for i := range s.candidates {
		c := &s.candidates[i]
		if c.Local && !c.Stale {
			return s.isLocalFirst() && s.plan.Tier(i) == 0 && s.plan.Loads()[0] == 100
		}
	}
	return false
}
