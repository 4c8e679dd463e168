package services

import (
	"slices"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/selection"
)

// AddTo begins a service with the candidates of data, to which members are added that were asked,
// for one question. The service that it is made of stays as it is.
func AddTo(s, data *Service, o Options, now time.Time) *Builder {
	all := *s
	all.Candidates, all.Parts, all.Addresses = slices.Clip(data.Candidates), slices.Clip(data.Parts), slices.Clip(data.Addresses)
	all.Unknown, all.Out = slices.Clip(data.Unknown), slices.Clip(data.Out)
	return &Builder{Options: o, Service: &all, set: s.Set, now: now}
}

// AddAsked adds a member whose DNS has the service, and returns its index. Its part and its
// addresses are what it said, which the caller has: they are nil here.
func (b *Builder) AddAsked(m *members.Member, stale bool) int {
	b.Candidates = append(b.Candidates, b.candidate(m, 0, 0, stale))
	b.Parts, b.Addresses = append(b.Parts, nil), append(b.Addresses, nil)
	return len(b.Candidates) - 1
}

// AddUnknown notes a member of which it isn't known whether it has the service, and why; m is
// nil for several.
func (b *Builder) AddUnknown(m *members.Member, why error, code uint16) {
	b.Unknown = append(b.Unknown, Excluded{m, why, code})
}

// AddOut notes a member that has the service and doesn't answer, and why.
func (b *Builder) AddOut(m *members.Member, why error, code uint16) {
	b.Out = append(b.Out, Excluded{m, why, code})
}

// MakePlan makes the plan of the candidates as they are now.
func (b *Builder) MakePlan() {
	b.Plan = selection.NewPlan(b.Candidates, &b.rules, b.here())
}

// StaleExport returns the export in the member's stale data, where serve_stale allows it; nil
// where there is none.
func (b *Builder) StaleExport(m *members.Member) *Export {
	view := m.View()
	if view == nil || view.State != member.Stale || time.Since(view.Since) >= b.ServeStale {
		return nil
	}
	e, ok := b.exportOf(m, view)
	if !ok {
		return nil
	}
	return &e
}
