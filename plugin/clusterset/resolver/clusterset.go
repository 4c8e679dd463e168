package resolver

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/services"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/selection"
)

// clusterset answers a name over the whole ClusterSet (KEP-1645).
type clusterset struct{ *Resolver }

// resolve answers a name of a service over the whole ClusterSet.
//
//  1. The service: which members have it, by their data; kept until something changes.
//  2. The members of which only their DNS can tell are asked, unless the choice is made.
//  3. The choice among those that have it, for this client and now.
//  4. The reply: their addresses. That there is no such name is said only where every member
//     that could have it is known not to.
func (r clusterset) resolve(ctx context.Context, q *question.Question) *question.Resolution {
	s := r.service(q, q.Parsed.SetKey())
	switch {
	case s.Denied:
		return r.denied(ctx, q, s)
	case q.Parsed.Kind == query.Endpoint:
		return r.endpoint(ctx, q, s)
	case len(s.Ask) > 0 && !s.IsLocalReady():
		return r.gathered(ctx, q, s)
	}
	choice, addresses := s.Choose(q.Client.Address(), q.Received)
	if choice.Members() == nil {
		return r.none(ctx, q, s)
	}
	return r.fromData(ctx, q, s, choice, addresses)
}

// service returns the one of a key, as the question's members have it.
func (r clusterset) service(q *question.Question, key string) *services.Service {
	if s := r.services.Find(q.Members, key, q.Received); s != nil {
		return s
	}
	return r.services.Make(r.serviceOptions(), q.Members, key, q.Received)
}

// serviceOptions are those of the Resolver that services depend on.
func (r *Resolver) serviceOptions() services.Options {
	return services.Options{
		Mode: r.Mode, ExportsMarked: r.ExportsMarked, AddressGuard: r.AddressGuard, Affinity: r.Affinity, TTL: r.TTL, ServeStale: r.ServeStale,
	}
}

// fromData answers with what the data of the members chosen have.
func (r clusterset) fromData(ctx context.Context, q *question.Question, s *services.Service, choice selection.Choice, addresses []netip.Addr) *question.Resolution {
	f := query.Form{Owner: q.Name, Type: q.Type, TTL: r.TTL}
	a := answer{source: question.Data, serial: s.Serial}
	if s.Candidates[choice.Members()[0]].Stale {
		a.source, f.TTL, a.stale = question.Stale, min(r.TTL, maxStaleTTL), errStaleMembers
	}
	if asksHostnames(q, s) {
		return r.named(ctx, q, s, choice, &a, &f)
	}
	var found query.Records
	if q.Parsed.Kind == query.Service && (q.Type == dns.TypeA || q.Type == dns.TypeAAAA) {
		found = query.AddressRecords(addresses, &f)
	} else {
		found = q.Parsed.SetRecords(s.PartsOf(choice.Members()), &f)
	}
	if len(choice.Members()) > 1 && !takes(q, &found) {
		choice, found = fitting(q, s, choice, func(members []int) query.Records { return q.Parsed.SetRecords(s.PartsOf(members), &f) })
	}
	return r.reply(ctx, q, s, choice, &a, found)
}

var (
	errStaleMembers = errors.New("every member that has it is known by stale data alone")
	errStaleDenial  = errors.New("the name isn't in stale data, which may have changed")
)

// reply answers with records of the members that were chosen.
func (r clusterset) reply(ctx context.Context, q *question.Question, s *services.Service, choice selection.Choice, a *answer, found query.Records) *question.Resolution {
	if !found.Exists && a.source == question.Stale { // never said so by stale data: RFC 8767
		return r.fail(ctx, q, question.Data, dns.ExtendedErrorCodeNoReachableAuthority, errStaleDenial)
	}
	res := q.Begin(a.source)
	if q.Parsed.Kind != query.Endpoint { // of which nothing is chosen
		res.Chosen = services.NewChosen(s, choice)
	}
	res.Authoritative, res.StaleReason = true, a.stale
	res.Answer, res.Additional = found.Answer, found.Extra
	if len(res.Answer) == 0 {
		zone := zoneAuthority(r).authority(q, a.serial, 0)
		res.Authority = []dns.RR{zone.soa()}
	}
	if !found.Exists {
		res.Rcode, res.NotFound = dns.RcodeNameError, true
	}
	if a.source != question.Stale {
		return res
	}
	return stale(res)
}

// none answers where no member does: SERVFAIL where one may have the name, or has it at an
// address that can't be reached from here; else there is no such name.
func (r clusterset) none(ctx context.Context, q *question.Question, s *services.Service) *question.Resolution {
	code, text, count := question.NoExtendedError, "", 0
	var all []error
	for _, list := range [][]services.Excluded{s.Unknown, s.Out} {
		for i := range list {
			e := &list[i]
			if e.Code == question.NoExtendedError { // it hasn't the service, for clients here
				continue
			}
			switch count++; {
			case count == 1:
				code, text = e.Code, members.Brief(e.Err)
				fallthrough
			case count <= maxTold:
				all = append(all, e.Err)
			}
		}
	}
	switch {
	case count == 0:
		return r.reply(ctx, q, s, selection.Choice{}, &answer{source: question.Data, serial: s.Serial}, query.Records{})
	case count > maxTold:
		all = append(all, fmt.Errorf("and %d more", count-maxTold))
	}
	res := r.fail(ctx, q, question.Data, code, errors.Join(all...))
	res.Text, res.Chosen = text, services.NewChosen(s, selection.Choice{})
	if count > 1 {
		res.Text = fmt.Sprintf("%s; and %d more", text, count-1)
	}
	return res
}

// maxTold is of how many members the log has what went wrong.
const maxTold = 8

// denied answers clients of a cluster that a policy doesn't allow to look the name up. It isn't
// left to the next plugin, which knows no policy.
func (r clusterset) denied(ctx context.Context, q *question.Question, s *services.Service) *question.Resolution {
	if q.Members.Local == nil {
		res := r.fail(ctx, q, question.OfZone, dns.ExtendedErrorCodeProhibited, services.ErrLocalUnknown)
		res.Chosen = services.NewChosen(s, selection.Choice{})
		return res
	}
	zone := zoneAuthority(r).authority(q, 0, 0)
	res := q.Begin(question.OfZone)
	res.Chosen = services.NewChosen(s, selection.Choice{})
	res.Authoritative, res.Rcode, res.Authority = true, dns.RcodeNameError, []dns.RR{zone.soa()}
	res.Code, res.Text = dns.ExtendedErrorCodeProhibited, services.ErrNotAllowed.Error()
	return res
}

// endpoint answers for one endpoint, of the member that the name has: that is asked for
// whatever policies say, and however it is.
func (r clusterset) endpoint(ctx context.Context, q *question.Question, s *services.Service) *question.Resolution {
	f := query.Form{Owner: q.Name, Type: q.Type, TTL: r.TTL}
	for i, part := range s.Parts {
		c := &s.Candidates[i]
		if c.Name != "" && !strings.EqualFold(c.Name, q.Parsed.Cluster) {
			continue
		}
		a := answer{source: question.Data, serial: s.Serial}
		if c.Stale {
			a.source, f.TTL, a.stale = question.Stale, min(r.TTL, maxStaleTTL), errStaleMembers
		}
		found := q.Parsed.SetRecords([]*query.Part{part}, &f)
		return r.reply(ctx, q, s, selection.Choice{}, &a, found)
	}
	if m := q.Members.Member(q.Parsed.Cluster); m != nil && slices.Contains(s.Ask, m) {
		return r.endpointOf(ctx, q, s, m)
	}
	return r.noneOf(ctx, q, s)
}

// noneOf is none, for the member that the name has.
func (r clusterset) noneOf(ctx context.Context, q *question.Question, s *services.Service) *question.Resolution {
	of := *s
	of.Unknown, of.Out = nil, nil
	for _, list := range [][]services.Excluded{s.Unknown, s.Out} {
		for _, e := range list {
			if e.Member == nil || strings.EqualFold(e.Member.Name, q.Parsed.Cluster) {
				of.Unknown = append(of.Unknown, e)
			}
		}
	}
	return r.none(ctx, q, &of)
}
