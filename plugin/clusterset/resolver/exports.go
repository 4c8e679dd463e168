package resolver

import (
	"context"
	"errors"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
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
// that isn't exported.
func (f *filter) hides(rr dns.RR) bool {
	ptr, ok := rr.(*dns.PTR)
	if !ok {
		return false
	}
	n := query.Parse(ptr.Ptr, len(f.zones.Primary()), f.q.Members.Names)
	_, exported := f.exports.Data.Exported(n.Key())
	return !exported
}
