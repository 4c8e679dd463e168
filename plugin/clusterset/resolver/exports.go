package resolver

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/records"
)

var errExportsUnknown = errors.New("which of its services are exported isn't known")

// isExported reports whether the question is about a service that is exported, or about none.
// Pods are never.
func isExported(q *question.Question, v *member.View) bool {
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

// isOffered reports whether the question is about a namespace that its member offers, or about
// none. Whose an address is only fresh data say; else the names in the reply are looked at.
func isOffered(q *question.Question, v *member.View) bool {
	if !q.Addr.IsValid() {
		namespace := q.Parsed.Namespace()
		return namespace == "" || q.Member.Offers(namespace)
	}
	return !v.IsFresh() || offersOwner(q, v)
}

// offersOwner reports whether the question's address is, in the data, in a namespace that its
// member offers.
func offersOwner(q *question.Question, v *member.View) bool {
	return slices.ContainsFunc(v.Data.Owners(q.Addr), func(owner model.Owner) bool {
		_, namespace, _ := strings.Cut(owner.Service, ".")
		return q.Member.Offers(namespace)
	})
}

// unoffered is the answer for an address that has no name which is offered. That isn't said of
// what is stale: others may have the address by now.
func (r finisher) unoffered(ctx context.Context, f *records.Filter, a *answer) *question.Resolution {
	if a.source == question.Stale {
		return r.fail(ctx, f.Question, question.Forward, dns.ExtendedErrorCodeNoReachableAuthority, a.stale)
	}
	a.rcode, a.answer = dns.RcodeNameError, nil
	return r.existence(f, a)
}

// hidden answers for the names of services that `exports marked` keeps from others: they
// don't exist. Only a member's data say which; where there are none, nothing is let through.
// The local cluster's names are its own business.
func (r *Resolver) hidden(ctx context.Context, q *question.Question, v *member.View) *question.Resolution {
	switch {
	case v == nil:
		return r.fail(ctx, q, question.Data, dns.ExtendedErrorCodeNoReachableAuthority, q.MemberError(errExportsUnknown))
	case v.State == member.Unsynced:
		return r.fail(ctx, q, question.Data, dns.ExtendedErrorCodeNotReady, q.MemberError(v.Err))
	case v.State == member.Fresh:
		a := answer{source: question.Data, rcode: dns.RcodeNameError, authoritative: true, serial: zoneAuthority{r}.serial(q)}
		return finisher{r}.finish(ctx, q, &a)
	}
	return r.fail(ctx, q, question.Data, dns.ExtendedErrorCodeNoReachableAuthority, q.MemberError(v.Err))
}
