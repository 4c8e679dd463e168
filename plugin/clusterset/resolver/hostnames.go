package resolver

import (
	"context"
	"errors"
	"net/netip"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/records"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/services"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/selection"
)

// asksHostnames reports whether the answer depends on what load balancers' names stand for.
func asksHostnames(q *question.Question, s *services.Service) bool {
	return s.ByHostname && q.Parsed.Kind == query.Service && q.Type != dns.TypeSRV
}

// asOf returns the question as one for a member, whose rules what is looked up for it obeys.
func asOf(q *question.Question, name string) *question.Question {
	of := *q
	of.Member = q.Members.Member(name)
	return &of
}

func (r clusterset) filterOf(q *question.Question) *records.Filter {
	return &records.Filter{Guard: records.Guard{Question: q, Zones: &r.Zones}, Ours: true, Checks: r.AddressGuard}
}

// named answers where the addresses of a member's load balancers have to be looked up: by a
// CNAME where one name is all there is, which is followed as any; else with the addresses of
// all.
func (r clusterset) named(ctx context.Context, q *question.Question, s *services.Service, choice selection.Choice, a *answer, f *query.Form) *question.Resolution {
	target := s.OnlyName(choice)
	if target == "" {
		return r.resolved(ctx, q, s, choice, a, f)
	}
	of := asOf(q, s.Candidates[choice.Members()[0]].Name)
	res := r.reply(ctx, of, s, choice, a, query.Records{Exists: true, Answer: []dns.RR{f.Alias(target)}})
	if q.Type != dns.TypeCNAME {
		res = finisher(r).follow(ctx, r.filterOf(of), res, target)
	}
	res.Question, res.Member, res.Chosen = q, nil, services.NewChosen(s, choice)
	return res
}

// resolved answers with the addresses of all members chosen, by name or not.
func (r clusterset) resolved(ctx context.Context, q *question.Question, s *services.Service, choice selection.Choice, a *answer, f *query.Form) *question.Resolution {
	var addresses []netip.Addr
	for _, i := range choice.Members() {
		addresses = append(addresses, s.Addresses[i]...)
	}
	found, ttl, err := r.lookUpHosts(ctx, q, s.PartsOf(choice.Members()), len(addresses) > 0)
	if addresses = append(addresses, found...); len(addresses) == 0 && err != nil {
		res := r.fail(ctx, q, a.source, dns.ExtendedErrorCodeNoReachableAuthority, err)
		res.Chosen = services.NewChosen(s, choice)
		return res
	}
	f.TTL = min(f.TTL, ttl)
	return r.reply(ctx, q, s, choice, a, query.AddressRecords(query.Unique(addresses), f))
}

// lookUpHosts looks up, within this server, the host names that members answer with. Where
// others answered, they are waited for as members' DNS is. err is why a name has no address.
func (r clusterset) lookUpHosts(ctx context.Context, q *question.Question, parts []*query.Part, others bool) (all []netip.Addr, ttl uint32, err error) {
	ttl = r.TTL
	if q.Type != dns.TypeA && q.Type != dns.TypeAAAA {
		return nil, ttl, nil
	}
	if others {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, gatherTime)
		defer cancel()
	}
	for _, p := range parts {
		for _, name := range p.Hostnames {
			if !question.LookUps(ctx, q).Take(1) { // of is charged for what it leads to
				return all, ttl, errLookUps
			}
			of := asOf(q, p.Cluster)
			reply, failed := finisher(r).followed(ctx, of, name)
			if failed == nil && !isAnswer(reply.Rcode) {
				failed = errors.New("a load balancer's name: " + dns.RcodeToString[reply.Rcode])
			}
			if failed != nil {
				err = of.MemberError(failed)
				continue
			}
			f := r.filterOf(of)
			found, _, _ := f.Chain(reply.Answer, name)
			for _, rr := range f.Followed(found) {
				ttl = min(ttl, rr.Header().Ttl)
				if addr, ok := records.Address(rr); ok {
					all = append(all, addr)
				}
			}
		}
	}
	return all, ttl, err
}
