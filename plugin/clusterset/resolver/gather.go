package resolver

import (
	"context"
	"errors"
	"slices"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/services"
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
	res    *question.Resolution // nil where there is none yet
	// unreachable is set where clients here can't reach the member, whatever its DNS has.
	unreachable bool
	// doubtful is set where its data, which may have changed, say that it doesn't export the
	// service: its DNS doesn't know of exports, so that only its denial counts.
	doubtful bool
}

func newReply(s *services.Service, m *members.Member) reply {
	reach := s.Set.Reach[m]
	reaches := func(kind model.Reach) bool { return slices.Contains(reach, kind) }
	a := reply{member: m}
	switch {
	case reach == nil, reaches(model.ReachServices), reaches(model.ReachPods):
	case reaches(model.ReachGateways) && len(m.Gateways) > 0, reaches(model.ReachLoadBalancers) && len(m.LoadBalancerCIDRs) > 0:
	default:
		a.unreachable = true
	}
	if view := m.View(); view != nil && view.State != member.Unsynced {
		_, exported := view.Data.Exported(s.Key)
		a.doubtful = !exported
	}
	return a
}

// has reports whether the member has the service.
func (a *reply) has() bool {
	return a.res != nil && a.res.Action == question.Reply && a.res.Rcode == dns.RcodeSuccess && !a.isAlias() && !a.unreachable && !a.doubtful
}

// hasNot reports whether the member hasn't the service.
func (a *reply) hasNot() bool {
	return a.res != nil && a.res.Action == question.Reply && a.res.Rcode == dns.RcodeNameError && a.res.Source != question.Stale
}

// isAlias reports whether the service is another name for something else.
func (a *reply) isAlias() bool {
	return a.res != nil && len(a.res.Answer) > 0 && a.res.Answer[0].Header().Rrtype == dns.TypeCNAME
}

// gathered answers from what the data of some members and the DNS of others say.
func (r clusterset) gathered(ctx context.Context, q *question.Question, s *services.Service) *question.Resolution {
	ask := s.Ask[:min(len(s.Ask), maxAsked)]
	replies, err := r.askAll(ctx, q, ask, s, s.IsLive())
	if err != nil {
		return r.notAsked(ctx, q, err)
	}
	g := r.gather(q, s, s, replies)
	if len(s.Ask) > len(ask) {
		g.AddUnknown(nil, errNotAsked, dns.ExtendedErrorCodeNoReachableAuthority)
	}
	g.MakePlan()
	res := r.merged(ctx, q, g, g.Plan.Pick(g.Draw(q.Client.Address(), q.Received)))
	addParts(res, replies)
	return res
}

// notAsked answers where nobody could be asked.
func (r clusterset) notAsked(ctx context.Context, q *question.Question, err error) *question.Resolution {
	if errors.Is(err, errBusy) {
		res := q.Refuse(question.Forward, err)
		res.Rare.Busy = true
		return res
	}
	return r.exhausted(ctx, q, question.Forward)
}

// addParts notes how members were asked.
func addParts(r *question.Resolution, replies []reply) {
	for i := range replies {
		if part := replies[i].res; part != nil {
			r.Parts, r.Attempts = append(r.Parts, part), append(r.Attempts, part.Attempts...)
		}
	}
}

// gathering is a service with what members' DNS said.
type gathering struct {
	*services.Builder
	// asked are by the index of their candidates.
	asked map[int]*dnsAnswer
}

// gather returns the service with the candidates of data, those of replies added to them.
func (r clusterset) gather(q *question.Question, s, data *services.Service, replies []reply) *gathering {
	g := &gathering{services.AddTo(s, data, r.serviceOptions(), q.Received), make(map[int]*dnsAnswer)}
	for i := range replies {
		g.take(q, &replies[i])
	}
	return g
}

// take makes a member that was asked a candidate, or notes why it is none. Where its DNS
// doesn't say, its stale data do.
func (g *gathering) take(q *question.Question, a *reply) {
	stale := g.StaleExport(a.member)
	isLive := a.has() && a.res.Source != question.Stale
	switch {
	case a.hasNot():
	case stale != nil && !isLive && !a.isAlias():
		g.Consider(stale)
	case !a.has():
		g.miss(a)
	case a.member != q.Members.Local && !a.member.IsAlive():
		g.AddOut(a.member, a.member.Failed(services.ErrNoGateway), dns.ExtendedErrorCodeNoReachableAuthority)
	default:
		g.asked[g.AddAsked(a.member, !isLive)] = newDNSAnswer(q, a, g.TTL)
	}
}

// miss notes why a member isn't a candidate whose DNS doesn't say whether it has the service.
func (g *gathering) miss(a *reply) {
	switch {
	case a.res == nil:
		g.AddUnknown(a.member, a.member.Failed(errPending), dns.ExtendedErrorCodeNoReachableAuthority)
	case a.isAlias() && a.res.Source == question.Stale:
		g.AddUnknown(a.member, a.member.Failed(errStaleDenial), dns.ExtendedErrorCodeNoReachableAuthority)
	case a.isAlias():
		g.AddOut(a.member, a.member.Failed(errAlias), question.NoExtendedError)
	case a.doubtful:
		g.AddUnknown(a.member, a.member.Failed(errDoubtful), dns.ExtendedErrorCodeNoReachableAuthority)
	case a.unreachable && a.res.Rcode == dns.RcodeSuccess:
		g.AddOut(a.member, a.member.Failed(services.ErrReach), dns.ExtendedErrorCodeFiltered)
	case a.res.Code == dns.ExtendedErrorCodeFiltered:
		g.AddOut(a.member, failureOf(a.res), a.res.Code)
	default:
		code := a.res.Code
		if code == question.NoExtendedError {
			code = dns.ExtendedErrorCodeNoReachableAuthority
		}
		g.AddUnknown(a.member, failureOf(a.res), code)
	}
}

// failureOf returns what went wrong.
func failureOf(r *question.Resolution) error {
	if r.Err != nil {
		return r.Err
	}
	return errors.New("member " + r.Member.Name + ": " + dns.RcodeToString[r.Rcode])
}

// endpointOf answers for one endpoint, as its member's DNS says.
func (r clusterset) endpointOf(ctx context.Context, q *question.Question, s *services.Service, m *members.Member) *question.Resolution {
	replies, err := r.askAll(ctx, q, []*members.Member{m}, s, false)
	if err != nil {
		return r.notAsked(ctx, q, err)
	}
	g := r.gather(q, s, &services.Service{}, replies)
	var choice selection.Choice
	if len(g.Candidates) > 0 {
		choice = choice.Only([]int{0})
	}
	res := r.merged(ctx, q, g, choice)
	addParts(res, replies)
	return res
}
