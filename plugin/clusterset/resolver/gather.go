package resolver

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/selection"
)

var (
	errPending  = errors.New("no reply yet")
	errAlias    = errors.New("its Service is an ExternalName, which can't be exported")
	errDoubtful = errors.New("its data are stale, and its DNS doesn't say what is exported")
	errNotAsked = errors.New("more members without data than one question asks")
)

// reply of a member's DNS.
type reply struct {
	member *members.Member
	res    *Resolution // nil where there is none yet
	// unreachable is set where clients here can't reach the member, whatever its DNS has.
	unreachable bool
	// doubtful is set where its data, which may have changed, say that it doesn't export the
	// service: its DNS doesn't know of exports, so that only its denial counts.
	doubtful bool
}

func (s *service) newReply(m *members.Member) reply {
	reach := s.set.Reach[m]
	reaches := func(kind model.Reach) bool { return slices.Contains(reach, kind) }
	a := reply{member: m}
	switch {
	case reach == nil, reaches(model.ReachServices), reaches(model.ReachPods):
	case reaches(model.ReachGateways) && len(m.Gateways) > 0, reaches(model.ReachLoadBalancers) && len(m.LoadBalancerCIDRs) > 0:
	default:
		a.unreachable = true
	}
	if view := m.View(); view != nil && view.State != member.Unsynced {
		_, exported := view.Data.Exported(s.key)
		a.doubtful = !exported
	}
	return a
}

// has reports whether the member has the service.
func (a *reply) has() bool {
	return a.res != nil && a.res.Action == Reply && a.res.Rcode == dns.RcodeSuccess && !a.isAlias() && !a.unreachable && !a.doubtful
}

// hasNot reports whether the member hasn't the service.
func (a *reply) hasNot() bool {
	return a.res != nil && a.res.Action == Reply && a.res.Rcode == dns.RcodeNameError && a.res.Source != Stale
}

// isAlias reports whether the service is another name for something else.
func (a *reply) isAlias() bool {
	return a.res != nil && len(a.res.Answer) > 0 && a.res.Answer[0].Header().Rrtype == dns.TypeCNAME
}

// gathered answers from what the data of some members and the DNS of others say.
func (r clusterset) gathered(ctx context.Context, q *Question, s *service) *Resolution {
	ask := s.ask[:min(len(s.ask), maxAsked)]
	replies, err := r.askAll(ctx, q, ask, s, s.isLive())
	if err != nil {
		return r.notAsked(ctx, q, err)
	}
	g := r.gather(q, s, s, replies)
	if len(s.ask) > len(ask) {
		g.unknown = append(g.unknown, excluded{nil, errNotAsked, dns.ExtendedErrorCodeNoReachableAuthority})
	}
	g.plan = selection.NewPlan(g.candidates, &g.rules, g.here())
	res := r.merged(ctx, q, g, g.plan.Pick(g.draw(q)))
	res.addParts(replies)
	return res
}

// notAsked answers where nobody could be asked.
func (r clusterset) notAsked(ctx context.Context, q *Question, err error) *Resolution {
	if errors.Is(err, errBusy) {
		res := q.refuse(Forward, err)
		res.Rare.Busy = true
		return res
	}
	return r.exhausted(ctx, q, Forward)
}

// addParts notes how members were asked.
func (r *Resolution) addParts(replies []reply) {
	for i := range replies {
		if part := replies[i].res; part != nil {
			r.Parts, r.Attempts = append(r.Parts, part), append(r.Attempts, part.Attempts...)
		}
	}
}

// gathering is a service with what members' DNS said.
type gathering struct {
	serviceBuilder
	// asked are by the index of their candidates.
	asked map[int]*dnsAnswer
}

// gather returns the service with the candidates of data, those of replies added to them.
func (r clusterset) gather(q *Question, s, data *service, replies []reply) *gathering {
	all := *s
	all.candidates, all.parts, all.addresses = slices.Clip(data.candidates), slices.Clip(data.parts), slices.Clip(data.addresses)
	all.unknown, all.out = slices.Clip(data.unknown), slices.Clip(data.out)
	g := &gathering{serviceBuilder{Resolver: r.Resolver, service: &all, set: q.Members, now: q.Received}, make(map[int]*dnsAnswer)}
	for i := range replies {
		g.take(q, &replies[i])
	}
	return g
}

// take makes a member that was asked a candidate, or notes why it is none. Where its DNS
// doesn't say, its stale data do.
func (g *gathering) take(q *Question, a *reply) {
	stale := g.staleExport(a.member)
	isLive := a.has() && a.res.Source != Stale
	switch {
	case a.hasNot():
	case stale != nil && !isLive && !a.isAlias():
		g.consider(stale)
	case !a.has():
		g.miss(a)
	case a.member != g.set.Local && !a.member.IsAlive():
		g.out = append(g.out, newExcluded(a.member, errNoGateway, dns.ExtendedErrorCodeNoReachableAuthority))
	default:
		g.asked[len(g.candidates)] = newDNSAnswer(q, a, g.TTL)
		g.candidates = append(g.candidates, g.candidate(a.member, 0, 0, !isLive))
		g.parts, g.addresses = append(g.parts, nil), append(g.addresses, nil)
	}
}

// staleExport returns the export in the member's stale data, where serve_stale allows it; nil
// where there is none.
func (g *gathering) staleExport(m *members.Member) *exported {
	view := m.View()
	if view == nil || view.State != member.Stale || time.Since(view.Since) >= g.ServeStale {
		return nil
	}
	e, ok := g.exportOf(m, view)
	if !ok {
		return nil
	}
	return &e
}

// miss notes why a member isn't a candidate whose DNS doesn't say whether it has the service.
func (s *service) miss(a *reply) {
	switch {
	case a.res == nil:
		s.unknown = append(s.unknown, newExcluded(a.member, errPending, dns.ExtendedErrorCodeNoReachableAuthority))
	case a.isAlias() && a.res.Source == Stale:
		s.unknown = append(s.unknown, newExcluded(a.member, errStaleDenial, dns.ExtendedErrorCodeNoReachableAuthority))
	case a.isAlias():
		s.out = append(s.out, newExcluded(a.member, errAlias, NoExtendedError))
	case a.doubtful:
		s.unknown = append(s.unknown, newExcluded(a.member, errDoubtful, dns.ExtendedErrorCodeNoReachableAuthority))
	case a.unreachable && a.res.Rcode == dns.RcodeSuccess:
		s.out = append(s.out, newExcluded(a.member, errReach, dns.ExtendedErrorCodeFiltered))
	case a.res.Code == dns.ExtendedErrorCodeFiltered:
		s.out = append(s.out, excluded{a.member, a.res.failure(), a.res.Code})
	default:
		code := a.res.Code
		if code == NoExtendedError {
			code = dns.ExtendedErrorCodeNoReachableAuthority
		}
		s.unknown = append(s.unknown, excluded{a.member, a.res.failure(), code})
	}
}

// failure returns what went wrong.
func (r *Resolution) failure() error {
	if r.Err != nil {
		return r.Err
	}
	return errors.New("member " + r.Member.Name + ": " + dns.RcodeToString[r.Rcode])
}

// endpointOf answers for one endpoint, as its member's DNS says.
func (r clusterset) endpointOf(ctx context.Context, q *Question, s *service, m *members.Member) *Resolution {
	replies, err := r.askAll(ctx, q, []*members.Member{m}, s, false)
	if err != nil {
		return r.notAsked(ctx, q, err)
	}
	g := r.gather(q, s, &service{}, replies)
	var choice selection.Choice
	if len(g.candidates) > 0 {
		choice = choice.Only([]int{0})
	}
	res := r.merged(ctx, q, g, choice)
	res.addParts(replies)
	return res
}
