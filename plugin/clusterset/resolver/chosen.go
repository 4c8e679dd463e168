package resolver

import "github.com/coredns-clusterset/clusterset/plugin/clusterset/selection"

// Chosen is which members of a service of the whole ClusterSet were chosen, and why. The zero
// value is that of other names.
type Chosen struct {
	service *service
	choice  selection.Choice
}

// Candidate is a member that was considered.
type Candidate struct {
	Member string
	// Chosen is whether it answers, and Priority its priority, -1 where it has none.
	Chosen   bool
	Priority int
	// Reason is why it does or doesn't.
	Reason string
}

// Rule returns what decided, "" where nothing did.
func (c *Chosen) Rule() Rule {
	if c.service == nil {
		return ""
	}
	return c.service.rule
}

// Members calls do with each member that was chosen, and why.
func (c *Chosen) Members(do func(name string, why selection.Reason)) {
	for _, i := range c.choice.Members() {
		do(c.service.candidates[i].Name, c.service.plan.Reason(i, c.choice))
	}
}

// Candidates returns all members that were considered.
func (c *Chosen) Candidates() []Candidate {
	if c.service == nil {
		return nil
	}
	var all []Candidate
	s := c.service
	for i := range s.candidates {
		reason := s.plan.Reason(i, c.choice)
		all = append(all, Candidate{Member: s.candidates[i].Name, Priority: s.plan.Tier(i), Reason: reason.String()})
	}
	for _, i := range c.choice.Members() {
		all[i].Chosen = true
	}
	for _, list := range [][]excluded{s.out, s.unknown} {
		for i := range list {
			name := ""
			if list[i].member != nil {
				name = list[i].member.Name
			}
			all = append(all, Candidate{Member: name, Priority: -1, Reason: brief(list[i].err)})
		}
	}
	return all
}
