package selection

import (
	"cmp"
	"math"
	"slices"
)

// Plan is what the rules make of the candidates of one service. It is immutable, so any
// number of goroutines may use it. Candidates are named by their index.
type Plan struct {
	// tiers are by candidate, and so are reasons: why it is in its priority, or has none.
	tiers   []int
	reasons []Reason
	// priorities and loads have one element a priority.
	priorities []priority
	loads      []int
}

// priority has those that can answer, in the order of their names.
type priority struct {
	members []int
	// shares are those of members where one of them answers; nil where all do, together.
	shares []share
}

// share is one member's part in the draw.
type share struct {
	hash   uint64
	weight float64
}

// NewPlan sorts candidates into priorities. In this order:
//
//  1. Members of weight 0 are left out, and so are all but the local cluster where the rules
//     say LocalOnly.
//  2. Stale candidates are left out where one that isn't can answer. Where none can, the rest
//     is decided among the stale ones.
//  3. Members with a weight are the first priority, each member of the failover order is one
//     of its own, and the others follow by affinity. Affinity nearest has the local cluster
//     first, then those in the zone, in the region, and by round-trip time.
//  4. A priority's load is by the endpoints of all its members, but only members with a
//     ready one answer.
//
// No argument is kept.
func NewPlan(candidates []Candidate, rules *Rules, here Place) *Plan {
	p := &Plan{tiers: make([]int, len(candidates)), reasons: make([]Reason, len(candidates))}
	live := false
	for i := range candidates {
		p.tiers[i], p.reasons[i] = -1, rules.excluded(&candidates[i])
		live = live || p.reasons[i] == 0 && !candidates[i].Stale
	}
	var health []int
	for _, group := range p.group(candidates, rules, here, !live) {
		health = append(health, p.add(candidates, rules, group))
	}
	p.loads = loads(health)
	return p
}

// ranked is a candidate in a priority.
type ranked struct {
	index int
	name  string
	rank
}

func compareRanked(a, b ranked) int {
	return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.name, b.name))
}

// group returns the priorities: candidates that answer, or would if they had a ready
// endpoint, all of them stale or none.
func (p *Plan) group(candidates []Candidate, rules *Rules, here Place, stale bool) [][]ranked {
	var all []ranked
	for i := range candidates {
		c := &candidates[i]
		switch {
		case p.reasons[i] != 0 && p.reasons[i] != NotReady: // counts nowhere
		case c.Stale == stale:
			all = append(all, ranked{i, c.Name, rules.rank(c, here)})
		case p.reasons[i] == 0:
			p.reasons[i] = Stale
		}
	}
	slices.SortFunc(all, compareRanked)
	var groups [][]ranked
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].order == all[0].order {
			n++
		}
		groups = append(groups, all[:n])
		all = all[n:]
	}
	return groups
}

// add appends a priority, and returns its health.
func (p *Plan) add(candidates []Candidate, rules *Rules, group []ranked) int {
	var of priority
	var all endpoints
	for _, r := range group {
		c := &candidates[r.index]
		all.add(c)
		if !c.ready() {
			continue
		}
		p.tiers[r.index], p.reasons[r.index] = len(p.priorities), r.why
		of.members = append(of.members, r.index)
		if r.why == Weighted {
			of.shares = append(of.shares, newShare(c, rules.Weights[c.Name]))
		}
	}
	p.priorities = append(p.priorities, of)
	if rules.Strict && len(of.members) > 0 {
		return 100
	}
	return all.health()
}

// newShare returns the share of a member by its effective weight, as Envoy's "Locality
// weighted load balancing" has it: its weight, less where few of its endpoints are ready.
func newShare(c *Candidate, weight int) share {
	var own endpoints
	own.add(c)
	return share{hash: hashString(c.Name), weight: float64(weight) * float64(own.health())}
}

// Choice is what a query gets. The zero value is nobody.
type Choice struct {
	members []int
	tier    int
}

// Members returns the members that answer, as indices into the candidates of the plan. They
// are the plan's own, and must not be changed.
func (c Choice) Members() []int { return c.members }

// Only returns the choice of some of its members, where not all can be given.
func (c Choice) Only(members []int) Choice { return Choice{members, c.tier} }

// Pick returns who answers: one member of the priority with weights, all of another. A client
// gets the same for the same draw. Where the loads change, only those clients move whose draw
// is between the old and the new bound of two priorities. Where a weight changes, or a member
// with a weight leaves or comes, only those move who leave that member or come to it.
func (p *Plan) Pick(d Draw) Choice {
	percent := d.percent()
	for tier, load := range p.loads {
		if percent < load {
			return p.priorities[tier].pick(d, tier)
		}
		percent -= load
	}
	return Choice{}
}

// pick draws by weighted rendezvous hashing: the highest -w/ln(u) wins, here as the lowest
// -ln(u)/w. -ln(u) is at least 1-u, which most members have too much of already.
func (p *priority) pick(d Draw, tier int) Choice {
	if p.shares == nil {
		return Choice{p.members, tier}
	}
	first, least := 0, math.Inf(1)
	for i, s := range p.shares {
		u := d.uniform(s.hash)
		if 1-u >= least*s.weight {
			continue
		}
		if score := -math.Log(u) / s.weight; score < least {
			first, least = i, score
		}
	}
	return Choice{p.members[first : first+1 : first+1], tier}
}

// Tier returns the priority of candidate i, from 0, and -1 if it never answers.
func (p *Plan) Tier(i int) int { return p.tiers[i] }

// Loads returns how many percent of the replies each priority gets: 100 together, or 0 where
// nobody answers. They are the plan's own, and must not be changed.
func (p *Plan) Loads() []int { return p.loads }

// Reason returns why candidate i is among those of a choice of this plan, or isn't.
func (p *Plan) Reason(i int, c Choice) Reason {
	chosen := slices.Contains(c.members, i)
	switch {
	case p.tiers[i] < 0, chosen && c.tier == 0:
		return p.reasons[i]
	case chosen:
		return SpillOver
	case c.members != nil && c.tier == p.tiers[i]:
		return NotDrawn
	}
	return NotPreferred
}
