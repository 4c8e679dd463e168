package resolver

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/selection"
)

// serviceBuilder makes a service from what its members' data say.
type serviceBuilder struct {
	*Resolver
	*service

	set *members.Set
	now time.Time
	// found are the members that export it, and doubtful those whose stale data don't have it.
	found, doubtful []exported
}

// exported is a member's export of the service.
type exported struct {
	member *members.Member
	view   *member.View
	of     *model.Service
	since  time.Time // zero where that isn't known
}

func (b *serviceBuilder) build(key string) *service {
	b.service = &service{key: key, set: b.set, serial: soaSerial, window: time.Duration(b.TTL) * time.Second}
	name, namespace, _ := strings.Cut(key, ".")
	policy := b.set.Policy(namespace, name)
	if b.denied = b.isDenied(policy); b.denied {
		b.rule = ByPolicy
		return b.service
	}
	view, imported := b.importOf()
	if imported != nil && (imported.Type == model.Headless || len(imported.ClusterIPs) > 0) {
		return b.answerImport(view, imported)
	}
	for _, m := range b.set.Sorted() {
		if m.Offers(namespace) || m == b.set.Local {
			b.look(m)
		}
	}
	b.settleConflicts()
	b.setRules(policy)
	for i := range b.found {
		b.consider(&b.found[i])
	}
	b.finish()
	b.settleDoubts()
	if imported != nil && b.isNobodys() {
		return b.answerImport(view, imported) // it exists, and nobody has an address of it
	}
	return b.service
}

// isDenied reports whether the policy doesn't allow clients of this cluster to look it up.
func (b *serviceBuilder) isDenied(policy *model.Policy) bool {
	if policy == nil || policy.Allow == nil {
		return false
	}
	return b.set.Local == nil || !slices.Contains(policy.Allow, b.set.Local.Name)
}

// isNobodys reports whether every member is known not to have the service.
func (b *serviceBuilder) isNobodys() bool {
	return len(b.found) == 0 && len(b.ask) == 0 && len(b.unknown) == 0
}

// settleDoubts has members asked whose stale data don't have the service, unless others have
// it: their DNS may say that they still haven't. That they have it now doesn't count, as
// nothing says that it is exported.
func (b *serviceBuilder) settleDoubts() {
	for i := range b.doubtful {
		e := &b.doubtful[i]
		b.askOr(b.Mode != model.ModeResolve && !b.isLive(), e.member, e.view)
	}
}

var (
	errNoGateway  = errors.New("its gateway is down")
	errNotReady   = errors.New("none of its endpoints is ready")
	errReach      = errors.New("it has no address that clients here can reach")
	errOfCluster  = errors.New("internalTrafficPolicy Local: for its own cluster alone")
	errConflict   = errors.New("its type isn't that of the oldest export")
	errNotAllowed = errors.New("a policy doesn't allow this cluster to look it up")
	// errLocalUnknown is no denial: this may turn out to be a cluster that is allowed.
	errLocalUnknown = errors.New("a policy allows some clusters to look it up, and it isn't known which this one is")
)

// look looks for the service in a member's data. What these can't tell, as there are none or
// they are stale, the member's DNS can.
func (b *serviceBuilder) look(m *members.Member) {
	view := m.View()
	b.saw(m, m.Data, view)
	switch asks := b.Mode != model.ModeResolve; {
	case view == nil || view.State == member.Unsynced:
		b.askOr(asks && !b.ExportsMarked, m, view)
		return
	case view.State == member.Stale && (asks || time.Since(view.Since) >= b.ServeStale):
		if _, ok := view.Data.Exported(b.key); ok {
			b.askOr(asks, m, view)
		} else {
			b.doubtful = append(b.doubtful, exported{member: m, view: view})
		}
		return
	}
	switch e, ok := b.exportOf(m, view); {
	case ok:
		b.serial = max(b.serial, uint32(view.Data.Changed.Unix()))
		b.found = append(b.found, e)
	case view.State == member.Stale:
		b.doubtful = append(b.doubtful, exported{member: m, view: view})
	}
}

// exportOf returns the member's export in its data, if there is one. What is global to Cilium
// without being shared is one for its own cluster.
func (b *serviceBuilder) exportOf(m *members.Member, view *member.View) (exported, bool) {
	s := view.Data.Find(b.key)
	since, ok := view.Data.Exported(b.key)
	if !ok && m == b.set.Local {
		ok = s.IsGlobal() && !view.Data.OptedOut(s.Namespace())
	}
	if s == nil || !ok || s.Type == model.External { // which can't be exported
		return exported{}, false
	}
	return exported{m, view, s, since}, true
}

// askOr has the member's DNS asked, or leaves it unknown whether the member has the service.
func (b *serviceBuilder) askOr(ask bool, m *members.Member, view *member.View) {
	switch {
	case ask && m == b.set.Local:
		b.ask = slices.Insert(b.ask, 0, m)
	case ask:
		b.ask = append(b.ask, m)
	case view == nil:
		b.unknown = append(b.unknown, newExcluded(m, members.ErrNoKubeconfig, dns.ExtendedErrorCodeNoReachableAuthority))
	case view.State == member.Unsynced:
		b.unknown = append(b.unknown, newExcluded(m, view.Err, dns.ExtendedErrorCodeNotReady))
	default:
		b.unknown = append(b.unknown, newExcluded(m, view.Err, dns.ExtendedErrorCodeNoReachableAuthority))
	}
}

// importOf returns the ServiceImport that the local API has for the service, nil where it has
// none. One without IPs, as Lighthouse's are, says that the service exists: its addresses are
// the members'.
func (b *serviceBuilder) importOf() (*member.View, *model.Service) {
	if b.set.Imports == nil {
		return nil, nil
	}
	view := b.set.Imports.View()
	b.saw(nil, b.set.Imports, view)
	if view.State == member.Unsynced {
		b.unknown = append(b.unknown, excluded{nil, fmt.Errorf("ServiceImports: %w", view.Err), dns.ExtendedErrorCodeNotReady})
		return nil, nil
	}
	s := view.Data.Find(b.key)
	if view.State == member.Stale && (s == nil || b.now.Sub(view.Since) >= b.ServeStale) {
		b.unknown = append(b.unknown, excluded{nil, fmt.Errorf("ServiceImports: %w", view.Err), dns.ExtendedErrorCodeNoReachableAuthority})
		return nil, nil
	}
	return view, s
}

// answerImport makes the service what a ServiceImport says: an implementation of the
// Multi-Cluster Services API has chosen by then.
func (b *serviceBuilder) answerImport(view *member.View, s *model.Service) *service {
	ready, total := 1, 1
	if s.Type == model.Headless {
		ready, total = endpointCount(s)
	}
	b.rule, b.rules.Affinity, b.serial = ByImport, model.AffinityNone, uint32(view.Data.Changed.Unix())
	b.add(selection.Candidate{Ready: ready, Total: max(total, 1), Stale: view.State == member.Stale}, &query.Part{Service: s})
	b.finish()
	return b.service
}

// consider makes an export a candidate, unless its member is dead, or has no address that
// clients here can reach.
func (b *serviceBuilder) consider(e *exported) {
	ready, total := endpointCount(e.of)
	switch {
	case e.member != b.set.Local && !e.member.IsAlive():
		b.leaveOut(e, errNoGateway, dns.ExtendedErrorCodeNoReachableAuthority)
		return
	case b.rule != ByPolicy && e.of.InternalLocal && e.member != b.set.Local:
		b.leaveOut(e, errOfCluster, NoExtendedError)
		return
	case ready == 0 && e.view.State == member.Stale:
		b.leaveOut(e, errNotReady, NoExtendedError)
		return
	}
	part := b.part(e)
	if part == nil && ready > 0 {
		b.leaveOut(e, errReach, dns.ExtendedErrorCodeFiltered)
		return
	}
	if part == nil {
		part = &query.Part{Cluster: e.member.Name, Service: e.of}
	}
	b.add(b.candidate(e.member, ready, max(total, 1), e.view.State == member.Stale), part)
}

// leaveOut notes why a member that exports the service doesn't answer. Stale data don't prove
// that it hasn't it now.
func (b *serviceBuilder) leaveOut(e *exported, why error, code uint16) {
	if e.view.State == member.Stale && code == NoExtendedError {
		why, code = e.view.Err, dns.ExtendedErrorCodeNoReachableAuthority
	}
	b.out = append(b.out, newExcluded(e.member, why, code))
}

// add adds a candidate, and what it answers with.
func (b *serviceBuilder) add(c selection.Candidate, part *query.Part) {
	b.candidates, b.parts, b.addresses = append(b.candidates, c), append(b.parts, part), append(b.addresses, part.Addresses())
	b.byHostname = b.byHostname || len(part.Hostnames) > 0
}

// candidate returns a member as selection has it.
func (b *serviceBuilder) candidate(m *members.Member, ready, total int, stale bool) selection.Candidate {
	c := selection.Candidate{
		Name: m.Name, Local: m == b.set.Local, Region: m.Region, Zone: m.Zone, Ready: ready, Total: total, Stale: stale,
	}
	if b.rules.Affinity == model.AffinityNearest {
		c.RTT = m.RTT()
	}
	return c
}

// endpointCount returns how many endpoints a Service has that are ready, and all of them but
// those that are about to end.
func endpointCount(s *model.Service) (ready, total int) {
	for _, slice := range s.Slices {
		ready += len(slice.Endpoints)
		if slice.NotReady == nil {
			continue
		}
		for i := range *slice.NotReady {
			if !(*slice.NotReady)[i].More().Terminating {
				total++
			}
		}
	}
	return ready, total + ready
}

// finish makes the plan.
func (b *serviceBuilder) finish() {
	b.plan = selection.NewPlan(b.candidates, &b.rules, b.here())
	b.together = make([][]netip.Addr, len(b.plan.Loads()))
	for i := range b.candidates {
		if tier := b.plan.Tier(i); tier >= 0 {
			b.together[tier] = append(b.together[tier], b.addresses[i]...)
		}
	}
	for tier := range b.together {
		b.together[tier] = query.Unique(b.together[tier])
	}
}

// here is where clients are: in the local cluster.
func (b *serviceBuilder) here() selection.Place {
	if b.set.Local == nil {
		return selection.Place{}
	}
	return selection.Place{Region: b.set.Local.Region, Zone: b.set.Local.Zone}
}
