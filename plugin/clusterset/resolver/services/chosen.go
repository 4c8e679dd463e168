package services

import (
	"fmt"
	"strings"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/selection"
)

// Chosen is which members of a service of the whole ClusterSet were chosen, and why. The zero
// value is that of other names.
type Chosen struct {
	service *Service
	choice  selection.Choice
}

// NewChosen returns the choice among a service's members.
func NewChosen(s *Service, choice selection.Choice) Chosen { return Chosen{s, choice} }

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

// Members calls do with each member that was chosen, and why. A ServiceImport is none. It
// allocates nothing.
func (c *Chosen) Members(do func(m *members.Member, why selection.Reason)) {
	for _, i := range c.choice.Members() {
		if m := c.service.Set.Member(c.service.Candidates[i].Name); m != nil {
			do(m, c.service.Plan.Reason(i, c.choice))
		}
	}
}

// Candidates returns all members that were considered.
func (c *Chosen) Candidates() []Candidate {
	if c.service == nil {
		return nil
	}
	var all []Candidate
	s := c.service
	for i := range s.Candidates {
		reason := s.Plan.Reason(i, c.choice)
		all = append(all, Candidate{Member: s.Candidates[i].Name, Priority: s.Plan.Tier(i), Reason: reason.String()})
	}
	for _, i := range c.choice.Members() {
		all[i].Chosen = true
	}
	for _, list := range [][]Excluded{s.Out, s.Unknown} {
		for i := range list {
			name, reason := "", members.Brief(list[i].Err)
			if list[i].Member != nil {
				name = list[i].Member.Name
				reason = strings.TrimPrefix(reason, "member "+name+": ")
			}
			all = append(all, Candidate{Member: name, Priority: -1, Reason: reason})
		}
	}
	return all
}

// maxDescribed bounds a line of the debug log.
const maxDescribed = 100

// String is that part of the debug log's line: the rule, and of each candidate whether it
// answers and why. It is "" for other names.
func (c *Chosen) String() string {
	if c.service == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString("by " + string(c.service.rule))
	separator := ": "
	for i, candidate := range c.Candidates() {
		if i == maxDescribed {
			fmt.Fprintf(&b, "; and %d more", len(c.Candidates())-i)
			break
		}
		name, verdict := candidate.Member, "out"
		if name == "" {
			name = "ServiceImport"
		}
		if candidate.Chosen {
			verdict = "in"
		}
		b.WriteString(separator + name + " " + verdict + " (" + candidate.Reason + ")")
		separator = ", "
	}
	return b.String()
}
