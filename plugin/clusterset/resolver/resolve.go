package resolver

import (
	"context"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

// ReadQuestion makes q the question of a request, which has one, about a name in zone.
func (r *Resolver) ReadQuestion(q *Question, request *dns.Msg, zone *Zone, client Client) {
	q.Name, q.Type, q.Zone, q.Members = request.Question[0].Name, request.Question[0].Qtype, zone, r.members.Load()
	q.Client, q.Request, q.Received, q.Trail.Left = client, request, time.Now(), maxLookUps
	if o := request.IsEdns0(); o != nil && len(o.Option) > 0 {
		q.Trail = trailOf(o)
	}
	q.own.n = int32(q.Trail.Left)
	switch {
	case q.Members == nil:
		q.owner = zoneAuthority{r}.ownerUnready(q)
	case zone.Kind == ReverseZone:
		r.readAddress(q)
	case zone.Kind == ClustersetZone:
		if q.Parsed = query.ParseClusterset(q.Name, len(zone.Name)); q.Parsed.Kind <= query.Branch {
			q.owner = byZone
		} else {
			q.owner = bySet
		}
	default:
		q.Parsed = query.Parse(q.Name, len(zone.Name), q.Members.Names)
		q.Member = q.Members.Member(q.Parsed.Cluster)
		if q.Parsed.Kind < query.Branch && !r.isNextsApex(q) {
			q.owner = byZone
		}
	}
}

// Resolve answers a question. Zones.Find and ReadQuestion have taken two steps before:
//
//  1. The zone: the longest configured one that holds the name; none: the next plugin.
//  2. The name's meaning in that zone, and the member that it belongs to.
func (r *Resolver) Resolve(ctx context.Context, q *Question) *Resolution {
	// 3. Names that no member is asked for: the zones' own, unknown ones, the next plugin's.
	if q.owner != byMember {
		return r.unasked(ctx, q)
	}

	// 4. The source: this server itself for the local cluster; else the member's data while
	// they are fresh; what its DNS said, while that is, and its DNS; and, when nobody can be
	// asked, stale data and answers while serve_stale allows it.
	if q.Member.Data != nil {
		q.view = q.Member.Data.View()
	}
	view := q.view
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
func (r *Resolver) unasked(ctx context.Context, q *Question) *Resolution {
	switch q.owner {
	case bySet:
		return clusterset{r}.resolve(ctx, q)
	case byNext:
		return q.next(AskNext)
	case byNextUncached:
		return q.next(AskNextUncached)
	case byZone:
		return zoneAuthority{r}.own(q)
	}
	return r.fail(ctx, q, OfZone, dns.ExtendedErrorCodeNotReady, ErrNotReady)
}

// localOrHidden answers for the local cluster in this server, where that serves its domain, and
// for services that aren't exported, or whose namespace isn't offered; it returns nil for other
// names.
func (r *Resolver) localOrHidden(ctx context.Context, q *Question, view *member.View) *Resolution {
	if q.Member == q.Members.Local {
		name := q.memberName()
		switch {
		case r.isNexts(q, name):
			return q.next(AskNext)
		case !sameName(name, q.Name) && q.Client.Serves(q.Member.ClusterDomain):
			return r.local(ctx, q, name)
		}
		q.Received = time.Now() // to learn that may have taken a while
	}
	if q.isLimited() && !isOffered(q, view) {
		return zoneAuthority{r}.nameError(q)
	}
	if r.ExportsMarked && (view == nil || view.State == member.Unsynced || !isExported(q, view)) {
		return r.hidden(ctx, q, view)
	}
	return nil
}

// notFresh answers in mode resolve, which asks nobody, where data aren't fresh.
func (r forwarder) notFresh(ctx context.Context, q *Question, view *member.View) *Resolution {
	switch {
	case view == nil:
		return r.fail(ctx, q, Data, dns.ExtendedErrorCodeNoReachableAuthority, q.memberError(members.ErrNoKubeconfig))
	case view.State == member.Unsynced:
		return r.fail(ctx, q, Data, dns.ExtendedErrorCodeNotReady, q.memberError(view.Err))
	}
	return r.staleData(ctx, q, view, failure{Data, dns.ExtendedErrorCodeNoReachableAuthority, q.memberError(view.Err)})
}

// data answers from the member's data, which are fresh, or stale for the reason that is given.
func (r *Resolver) data(ctx context.Context, q *Question, v *member.View, stale error) *Resolution {
	a := answer{source: Data, authoritative: true, serial: uint32(v.Data.Changed.Unix()), stale: stale}
	f := query.Form{Owner: q.Name, Type: q.Type, Domain: q.Member.ClusterDomain, TTL: r.TTL}
	if stale != nil {
		a.source, f.TTL = Stale, min(r.TTL, maxStaleTTL)
	}
	var found query.Records
	if q.Addr.IsValid() {
		f.Domain = r.Zones.pointersInto(q.Member)
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
func (r finisher) finish(ctx context.Context, q *Question, a *answer) *Resolution {
	f := filter{nameGuard: nameGuard{q, &r.Zones}, renaming: a.renaming, ours: a.renaming.AskedOf == "", checks: r.AddressGuard && a.source != Local}
	f.reach = a.reach
	if r.ExportsMarked && a.source != Local {
		f.exports = q.view
	}
	if q.Member.Namespaces != nil && f.limit(a.answer) {
		return r.unoffered(ctx, &f, a)
	}
	if !f.ours && q.asksExistence() || a.rcode == dns.RcodeNameError && len(a.answer) == 0 {
		return r.existence(&f, a)
	}
	a.answer = f.records(a.answer, inAnswer)
	if len(a.additional) > 0 {
		a.additional = f.records(a.additional, inAdditional)
	}
	return r.complete(ctx, &f, a)
}

// complete gives an answer, whose records are filtered, what it lacks: where a CNAME leads
// that leads out of the member's domain, and the authority section.
func (r finisher) complete(ctx context.Context, f *filter, a *answer) *Resolution {
	q, res := f.q, &f.q.room
	*res = Resolution{
		Question: q, Member: q.Member, Source: a.source, Rcode: a.rcode, Authoritative: a.authoritative,
		RecursionAvailable: a.recursionAvailable, Truncated: a.truncated, Answer: a.answer, Additional: a.additional,
		Code: NoExtendedError, StaleReason: a.stale, Rare: Rare{Excluded: f.excluded},
	}
	if a.rcode == dns.RcodeNameError { // of a CNAME's target, which is looked up here
		res.Rcode = dns.RcodeSuccess
	}
	switch {
	case f.excluded != [Exclusions]uint16{} && leavesNothing(f, a):
		return r.withheld(ctx, f, res, a.serial)
	case len(a.answer) > 0 && (a.answer[0].Header().Rrtype != q.Type || q.Type == dns.TypeCNAME):
		return r.chase(ctx, f, a, res)
	case len(a.answer) > 0 || a.truncated:
		if len(a.authority) > 0 {
			res.Authority = f.records(a.authority, inAuthority)
		}
	case res.Rcode == dns.RcodeSuccess:
		res.Authority, res.Additional = r.proof(f, a), nil
	}
	if res.Source == Stale {
		return stale(res)
	}
	return res
}
