package resolver

import (
	"context"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/records"
)

// ReadQuestion makes q the question of a request, which has one, about a name in zone.
func (r *Resolver) ReadQuestion(q *question.Question, request *dns.Msg, zone *question.Zone, client question.Client) {
	q.Name, q.Type, q.Zone, q.Members = request.Question[0].Name, request.Question[0].Qtype, zone, r.members.Load()
	q.Client, q.Request, q.Received, q.Trail.Left = client, request, time.Now(), question.MaxLookUps
	if o := request.IsEdns0(); o != nil && len(o.Option) > 0 {
		q.Trail = question.TrailOf(o)
	}
	q.Budget.N = int32(q.Trail.Left)
	switch {
	case q.Members == nil:
		q.Owner = zoneAuthority{r}.ownerUnready(q)
	case zone.Kind == question.ReverseZone:
		r.readAddress(q)
	case zone.Kind == question.ClustersetZone:
		if q.Parsed = query.ParseClusterset(q.Name, len(zone.Name)); q.Parsed.Kind <= query.Branch {
			q.Owner = question.ByZone
		} else {
			q.Owner = question.BySet
		}
	default:
		q.Parsed = query.Parse(q.Name, len(zone.Name), q.Members.Names)
		q.Member = q.Members.Member(q.Parsed.Cluster)
		if q.Parsed.Kind < query.Branch && !r.isNextsApex(q) {
			q.Owner = question.ByZone
		}
	}
}

// Resolve answers a question. Zones.Find and ReadQuestion have taken two steps before:
//
//  1. The zone: the longest configured one that holds the name; none: the next plugin.
//  2. The name's meaning in that zone, and the member that it belongs to.
func (r *Resolver) Resolve(ctx context.Context, q *question.Question) *question.Resolution {
	// 3. Names that no member is asked for: the zones' own, unknown ones, the next plugin's.
	if q.Owner != question.ByMember {
		return r.unasked(ctx, q)
	}

	// 4. The source: this server itself for the local cluster; else the member's data while
	// they are fresh; what its DNS said, while that is, and its DNS; and, when nobody can be
	// asked, stale data and answers while serve_stale allows it.
	if q.Member.Data != nil {
		q.View = q.Member.Data.View()
	}
	view := q.View
	if q.Member == q.Members.Local || r.ExportsMarked || q.Member.Namespaces != nil {
		if res := r.localOrHidden(ctx, q, view); res != nil {
			return res
		}
	}
	forwards := r.Mode == model.ModeForward || r.Mode == model.ModeAuto && q.Parsed.IsPod()
	switch {
	case forwards:
		return forwarder{r}.forward(ctx, q, nil)
	case view.IsFresh():
		return r.data(ctx, q, view, nil)
	case r.Mode == model.ModeResolve:
		return forwarder{r}.notFresh(ctx, q, view)
	}
	return forwarder{r}.forward(ctx, q, view)
}

// unasked answers where no member is asked.
func (r *Resolver) unasked(ctx context.Context, q *question.Question) *question.Resolution {
	switch q.Owner {
	case question.BySet:
		return clusterset{r}.resolve(ctx, q)
	case question.ByNext:
		return q.Next(question.AskNext)
	case question.ByNextUncached:
		return q.Next(question.AskNextUncached)
	case question.ByZone:
		return zoneAuthority{r}.own(q)
	}
	return r.fail(ctx, q, question.OfZone, dns.ExtendedErrorCodeNotReady, ErrNotReady)
}

// localOrHidden answers for the local cluster in this server, where that serves its domain, and
// for services that aren't exported, or whose namespace isn't offered; it returns nil for other
// names.
func (r *Resolver) localOrHidden(ctx context.Context, q *question.Question, view *member.View) *question.Resolution {
	if q.Member == q.Members.Local {
		name := q.MemberName()
		switch {
		case r.isNexts(q, name):
			return q.Next(question.AskNext)
		case !question.SameName(name, q.Name) && q.Client.Serves(q.Member.ClusterDomain):
			return r.local(ctx, q, name)
		}
		q.Received = time.Now() // to learn that may have taken a while
	}
	if q.IsLimited() && !isOffered(q, view) {
		return zoneAuthority{r}.nameError(q)
	}
	if r.ExportsMarked && (view == nil || view.State == member.Unsynced || !isExported(q, view)) {
		return r.hidden(ctx, q, view)
	}
	return nil
}

// notFresh answers in mode resolve, which asks nobody, where data aren't fresh.
func (r forwarder) notFresh(ctx context.Context, q *question.Question, view *member.View) *question.Resolution {
	switch {
	case view == nil:
		return r.fail(ctx, q, question.Data, dns.ExtendedErrorCodeNoReachableAuthority, q.MemberError(members.ErrNoKubeconfig))
	case view.State == member.Unsynced:
		return r.fail(ctx, q, question.Data, dns.ExtendedErrorCodeNotReady, q.MemberError(view.Err))
	}
	return r.staleData(ctx, q, view, failure{question.Data, dns.ExtendedErrorCodeNoReachableAuthority, q.MemberError(view.Err)})
}

// data answers from the member's data, which are fresh, or stale for the reason that is given.
func (r *Resolver) data(ctx context.Context, q *question.Question, v *member.View, stale error) *question.Resolution {
	a := answer{source: question.Data, authoritative: true, serial: uint32(v.Data.Changed.Unix()), stale: stale}
	f := query.Form{Owner: q.Name, Type: q.Type, Domain: q.Member.ClusterDomain, TTL: r.TTL}
	if stale != nil {
		a.source, f.TTL = question.Stale, min(r.TTL, maxStaleTTL)
	}
	var found query.Records
	if q.Addr.IsValid() {
		f.Domain = r.Zones.PointersInto(q.Member)
		found = query.Pointers(v.Data, q.Addr, &f)
	} else {
		if reach := q.Members.Reach[q.Member]; reach != nil {
			f.Service, a.reach = seen(q.Member, &q.Parsed, v.Data, reach)
		}
		found = q.Parsed.Records(v.Data, &f)
	}
	a.answer, a.additional = found.Answer, found.Extra
	if !found.Exists {
		a.rcode = dns.RcodeNameError
	}
	return finisher{r}.finish(ctx, q, &a)
}

// finish makes an answer the Resolution of its question (step 5): what doesn't answer it is
// left out, names are renamed, addresses checked and chosen as clients here can reach them.
func (r finisher) finish(ctx context.Context, q *question.Question, a *answer) *question.Resolution {
	f := records.Filter{Guard: records.Guard{Question: q, Zones: &r.Zones}, Renaming: a.renaming, Ours: a.renaming.AskedOf == "", Checks: r.AddressGuard && a.source != question.Local}
	f.Reach = a.reach
	if r.ExportsMarked && a.source != question.Local {
		f.Exports = q.View
	}
	if q.Member.Namespaces != nil && f.Limit(a.answer) {
		return r.unoffered(ctx, &f, a)
	}
	if !f.Ours && q.AsksExistence() || a.rcode == dns.RcodeNameError && len(a.answer) == 0 {
		return r.existence(&f, a)
	}
	a.answer = f.Records(a.answer, records.InAnswer)
	if len(a.additional) > 0 {
		a.additional = f.Records(a.additional, records.InAdditional)
	}
	return r.complete(ctx, &f, a)
}

// complete gives an answer, whose records are filtered, what it lacks: where a CNAME leads
// that leads out of the member's domain, and the authority section.
func (r finisher) complete(ctx context.Context, f *records.Filter, a *answer) *question.Resolution {
	q, res := f.Question, &f.Question.Room
	*res = question.Resolution{
		Question: q, Member: q.Member, Source: a.source, Rcode: a.rcode, Authoritative: a.authoritative,
		RecursionAvailable: a.recursionAvailable, Truncated: a.truncated, Answer: a.answer, Additional: a.additional,
		Code: question.NoExtendedError, StaleReason: a.stale, Rare: question.Rare{Excluded: f.Excluded},
	}
	if a.rcode == dns.RcodeNameError { // of a CNAME's target, which is looked up here
		res.Rcode = dns.RcodeSuccess
	}
	switch {
	case f.Excluded != [question.Exclusions]uint16{} && leavesNothing(f, a):
		return r.withheld(ctx, f, res, a.serial)
	case len(a.answer) > 0 && (a.answer[0].Header().Rrtype != q.Type || q.Type == dns.TypeCNAME):
		return r.chase(ctx, f, a, res)
	case len(a.answer) > 0 || a.truncated:
		if len(a.authority) > 0 {
			res.Authority = f.Records(a.authority, records.InAuthority)
		}
	case res.Rcode == dns.RcodeSuccess:
		res.Authority, res.Additional = r.proof(f, a), nil
	}
	if res.Source == question.Stale {
		return stale(res)
	}
	return res
}
