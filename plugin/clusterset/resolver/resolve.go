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
