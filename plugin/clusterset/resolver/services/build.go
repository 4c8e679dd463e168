package services

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

// Options are a server block's, as far as services depend on them.
type Options struct {
	Mode model.Mode
	// ExportsMarked hides services that aren't exported, and AddressGuard those addresses that
	// can't be a member's own.
	ExportsMarked, AddressGuard bool
	// Affinity is which members are preferred, where neither a policy nor the service says.
	Affinity model.Affinity
	// TTL is in seconds. For so long a client keeps its members.
	TTL uint32
	// ServeStale is how old data may be that nothing proves true; 0 is not at all.
	ServeStale time.Duration
}

// Builder makes a service from what its members' data say.
type Builder struct {
	Options
	*Service

	set *members.Set
	now time.Time
	// found are the members that export it, and doubtful those whose stale data don't have it.
	found, doubtful []Export
}

// Export is a member's export of the service.
type Export struct {
	member *members.Member
	view   *member.View
	of     *model.Service
	since  time.Time // zero where that isn't known
}

func (b *Builder) build(key string) *Service {
	b.Service = &Service{Key: key, Set: b.set, window: time.Duration(b.TTL) * time.Second}
	name, namespace, _ := strings.Cut(key, ".")
	policy := b.set.Policy(namespace, name)
	if b.Denied = b.isDenied(policy); b.Denied {
		b.rule = ByPolicy
		return b.Service
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
		b.Consider(&b.found[i])
	}
	b.finish()
	b.settleDoubts()
	if imported != nil && b.isNobodys() {
		return b.answerImport(view, imported) // it exists, and nobody has an address of it
	}
	return b.Service
}

// isDenied reports whether the policy doesn't allow clients of this cluster to look it up.
func (b *Builder) isDenied(policy *model.Policy) bool {
	if policy == nil || policy.Allow == nil {
		return false
	}
	return b.set.Local == nil || !slices.Contains(policy.Allow, b.set.Local.Name)
}

// isNobodys reports whether every member is known not to have the service.
func (b *Builder) isNobodys() bool {
	return len(b.found) == 0 && len(b.Ask) == 0 && len(b.Unknown) == 0
}

// settleDoubts has members asked whose stale data don't have the service, unless others have
// it: their DNS may say that they still haven't. That they have it now doesn't count, as
// nothing says that it is exported.
func (b *Builder) settleDoubts() {
	for i := range b.doubtful {
		e := &b.doubtful[i]
		b.askOr(b.Mode != model.ModeResolve && !b.IsLive(), e.member, e.view)
	}
}

// Why a member that exports a service doesn't answer, and why a service isn't to be looked up.
var (
	// ErrNoGateway is for a member whose probe fails.
	ErrNoGateway = errors.New("its gateway is down")
	errNotReady  = errors.New("none of its endpoints is ready")
	// ErrReach is for a member in another network.
	ErrReach     = errors.New("it has no address that clients here can reach")
	errOfCluster = errors.New("internalTrafficPolicy Local: for its own cluster alone")
	errConflict  = errors.New("its type isn't that of the oldest export")
	// ErrNotAllowed is for a service of which Denied is set.
	ErrNotAllowed = errors.New("a policy doesn't allow this cluster to look it up")
	// ErrLocalUnknown is no denial: this may turn out to be a cluster that is allowed.
	ErrLocalUnknown = errors.New("a policy allows some clusters to look it up, and it isn't known which this one is")
)

// look looks for the service in a member's data. What these can't tell, as there are none or
// they are stale, the member's DNS can.
func (b *Builder) look(m *members.Member) {
	view := m.View()
	b.saw(m, m.Data, view)
	switch asks := b.Mode != model.ModeResolve; {
	case view == nil || view.State == member.Unsynced:
		b.askOr(asks && !b.ExportsMarked, m, view)
		return
	case view.State == member.Stale && (asks || time.Since(view.Since) >= b.ServeStale):
		if _, ok := view.Data.Exported(b.Key); ok {
			b.askOr(asks, m, view)
		} else {
			b.doubtful = append(b.doubtful, Export{member: m, view: view})
		}
		return
	}
	switch e, ok := b.exportOf(m, view); {
	case ok:
		b.Serial = max(b.Serial, uint32(view.Data.Changed.Unix()))
		b.found = append(b.found, e)
	case view.State == member.Stale:
		b.doubtful = append(b.doubtful, Export{member: m, view: view})
	}
}

// exportOf returns the member's export in its data, if there is one. What is global to Cilium
// without being shared is one for its own cluster.
func (b *Builder) exportOf(m *members.Member, view *member.View) (Export, bool) {
	s := view.Data.Find(b.Key)
	since, ok := view.Data.Exported(b.Key)
	if !ok && m == b.set.Local {
		ok = s.IsGlobal() && !view.Data.OptedOut(s.Namespace())
	}
	if s == nil || !ok || s.Type == model.External { // which can't be exported
		return Export{}, false
	}
	return Export{m, view, s, since}, true
}

// askOr has the member's DNS asked, or leaves it unknown whether the member has the service.
func (b *Builder) askOr(ask bool, m *members.Member, view *member.View) {
	switch {
	case ask && m == b.set.Local:
		b.Ask = slices.Insert(b.Ask, 0, m)
	case ask:
		b.Ask = append(b.Ask, m)
	case view == nil:
		b.Unknown = append(b.Unknown, newExcluded(m, members.ErrNoKubeconfig, dns.ExtendedErrorCodeNoReachableAuthority))
	case view.State == member.Unsynced:
		b.Unknown = append(b.Unknown, newExcluded(m, view.Err, dns.ExtendedErrorCodeNotReady))
	default:
		b.Unknown = append(b.Unknown, newExcluded(m, view.Err, dns.ExtendedErrorCodeNoReachableAuthority))
	}
}

// importOf returns the ServiceImport that the local API has for the service, nil where it has
// none. One without IPs, as Lighthouse's are, says that the service exists: its addresses are
// the members'.
func (b *Builder) importOf() (*member.View, *model.Service) {
	if b.set.Imports == nil {
		return nil, nil
	}
	view := b.set.Imports.View()
	b.saw(nil, b.set.Imports, view)
	if view.State == member.Unsynced {
		b.Unknown = append(b.Unknown, Excluded{nil, fmt.Errorf("ServiceImports: %w", view.Err), dns.ExtendedErrorCodeNotReady})
		return nil, nil
	}
	s := view.Data.Find(b.Key)
	if view.State == member.Stale && (s == nil || b.now.Sub(view.Since) >= b.ServeStale) {
		b.Unknown = append(b.Unknown, Excluded{nil, fmt.Errorf("ServiceImports: %w", view.Err), dns.ExtendedErrorCodeNoReachableAuthority})
		return nil, nil
	}
	return view, s
}

// answerImport makes the service what a ServiceImport says: an implementation of the
// Multi-Cluster Services API has chosen by then.
func (b *Builder) answerImport(view *member.View, s *model.Service) *Service {
	ready, total := 1, 1
	if s.Type == model.Headless {
		ready, total = endpointCount(s)
	}
	b.rule, b.rules.Affinity, b.Serial = ByImport, model.AffinityNone, uint32(view.Data.Changed.Unix())
	b.add(selection.Candidate{Ready: ready, Total: max(total, 1), Stale: view.State == member.Stale}, &query.Part{Service: s})
	b.finish()
	return b.Service
}

// Consider makes an export a candidate, unless its member is dead, or has no address that
// clients here can reach.
func (b *Builder) Consider(e *Export) {
	ready, total := endpointCount(e.of)
	switch {
	case e.member != b.set.Local && !e.member.IsAlive():
		b.leaveOut(e, ErrNoGateway, dns.ExtendedErrorCodeNoReachableAuthority)
		return
	case b.rule != ByPolicy && e.of.InternalLocal && e.member != b.set.Local:
		b.leaveOut(e, errOfCluster, members.NoExtendedError)
		return
	case ready == 0 && e.view.State == member.Stale:
		b.leaveOut(e, errNotReady, members.NoExtendedError)
		return
	}
	part := b.part(e)
	if part == nil && ready > 0 {
		b.leaveOut(e, ErrReach, dns.ExtendedErrorCodeFiltered)
		return
	}
	if part == nil {
		part = &query.Part{Cluster: e.member.Name, Service: e.of}
	}
	b.add(b.candidate(e.member, ready, max(total, 1), e.view.State == member.Stale), part)
}

// leaveOut notes why a member that exports the service doesn't answer. Stale data don't prove
// that it hasn't it now.
func (b *Builder) leaveOut(e *Export, why error, code uint16) {
	if e.view.State == member.Stale && code == members.NoExtendedError {
		why, code = e.view.Err, dns.ExtendedErrorCodeNoReachableAuthority
	}
	b.Out = append(b.Out, newExcluded(e.member, why, code))
}

// add adds a candidate, and what it answers with.
func (b *Builder) add(c selection.Candidate, part *query.Part) {
	b.Candidates, b.Parts, b.Addresses = append(b.Candidates, c), append(b.Parts, part), append(b.Addresses, part.Addresses())
	b.ByHostname = b.ByHostname || len(part.Hostnames) > 0
}

// candidate returns a member as selection has it.
func (b *Builder) candidate(m *members.Member, ready, total int, stale bool) selection.Candidate {
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
func (b *Builder) finish() {
	b.MakePlan()
	b.together = make([][]netip.Addr, len(b.Plan.Loads()))
	for i := range b.Candidates {
		if tier := b.Plan.Tier(i); tier >= 0 {
			b.together[tier] = append(b.together[tier], b.Addresses[i]...)
		}
	}
	for tier := range b.together {
		b.together[tier] = query.Unique(b.together[tier])
	}
}

// here is where clients are: in the local cluster.
func (b *Builder) here() selection.Place {
	if b.set.Local == nil {
		return selection.Place{}
	}
	return selection.Place{Region: b.set.Local.Region, Zone: b.set.Local.Zone}
}
