package resolver

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

var errExportsUnknown = errors.New("which of its services are exported isn't known")

// isExported reports whether the question is about a service that is exported, or about none.
// Pods are never.
func isExported(q *Question, v *member.View) bool {
	if !q.Addr.IsValid() {
		key := q.Parsed.Key()
		if key == "" {
			return !q.Parsed.IsPod()
		}
		_, ok := v.Data.Exported(key)
		return ok
	}
	for _, owner := range v.Data.Owners(q.Addr) {
		if _, ok := v.Data.Exported(owner.Service); ok {
			return true
		}
	}
	return false
}

// isLimited reports whether the member offers only some namespaces to other clusters. The local
// cluster's names are its own business.
func (q *Question) isLimited() bool {
	return q.Member.Namespaces != nil && q.Member != q.Members.Local
}

// isOffered reports whether the question is about a namespace that its member offers, or about
// none. Whose an address is only fresh data say; else the names in the reply are looked at.
func isOffered(q *Question, v *member.View) bool {
	if !q.Addr.IsValid() {
		namespace := q.Parsed.Namespace()
		return namespace == "" || q.Member.Offers(namespace)
	}
	return !v.IsFresh() || offersOwner(q, v)
}

// offersOwner reports whether the question's address is, in the data, in a namespace that its
// member offers.
func offersOwner(q *Question, v *member.View) bool {
	return slices.ContainsFunc(v.Data.Owners(q.Addr), func(owner model.Owner) bool {
		_, namespace, _ := strings.Cut(owner.Service, ".")
		return q.Member.Offers(namespace)
	})
}

// limit has the filter leave out what is in namespaces that the member doesn't offer, where the
// question is of another cluster. It reports whether the answer to an address has names, and all
// of them are.
func (f *filter) limit(answer []dns.RR) bool {
	f.limited = f.q.isLimited()
	return f.limited && f.q.Addr.IsValid() && len(answer) > 0 && !slices.ContainsFunc(answer, func(rr dns.RR) bool {
		ptr, is := rr.(*dns.PTR)
		if !is {
			return true
		}
		name := ptr.Ptr
		return !f.ours && !f.renaming.Name(&name) || !f.isWithheld(name)
	})
}

// isWithheld reports whether a name in the member's zone is in a namespace that it doesn't offer.
func (f *filter) isWithheld(name string) bool {
	if name == f.q.Name {
		return false
	}
	namespace := f.parse(name).Namespace()
	return namespace != "" && !f.q.Member.Offers(namespace)
}

// parse parses a name in the member's zone.
func (f *filter) parse(name string) *query.Name {
	zone := f.q.Zone.Name
	if f.q.Zone.Kind == ReverseZone {
		zone = f.zones.Primary()
	}
	n := query.Parse(name, len(zone), f.q.Members.Names)
	return &n
}

// unoffered is the answer for an address that has no name which is offered. That isn't said of
// what is stale: others may have the address by now.
func (r finisher) unoffered(ctx context.Context, f *filter, a *answer) *Resolution {
	if a.source == Stale {
		return r.fail(ctx, f.q, Forward, dns.ExtendedErrorCodeNoReachableAuthority, a.stale)
	}
	a.rcode, a.answer = dns.RcodeNameError, nil
	return r.existence(f, a)
}

// hidden answers for the names of services that `exports marked` keeps from others: they
// don't exist. Only a member's data say which; where there are none, nothing is let through.
// The local cluster's names are its own business.
func (r *Resolver) hidden(ctx context.Context, q *Question, v *member.View) *Resolution {
	switch {
	case v == nil:
		return r.fail(ctx, q, Data, dns.ExtendedErrorCodeNoReachableAuthority, q.memberError(errExportsUnknown))
	case v.State == member.Unsynced:
		return r.fail(ctx, q, Data, dns.ExtendedErrorCodeNotReady, q.memberError(v.Err))
	case v.State == member.Fresh:
		a := answer{source: Data, rcode: dns.RcodeNameError, authoritative: true, serial: zoneAuthority{r}.serial(q)}
		return finisher{r}.finish(ctx, q, &a)
	}
	return r.fail(ctx, q, Data, dns.ExtendedErrorCodeNoReachableAuthority, q.memberError(v.Err))
}

// hides reports whether a record of an address, which may be several services', names one
// that isn't exported, or whose namespace isn't offered.
func (f *filter) hides(rr dns.RR) bool {
	ptr, ok := rr.(*dns.PTR)
	switch {
	case !ok:
		return false
	case f.limited && f.isWithheld(ptr.Ptr):
		return true
	case f.exports == nil:
		return false
	}
	_, exported := f.exports.Data.Exported(f.parse(ptr.Ptr).Key())
	return !exported
}
