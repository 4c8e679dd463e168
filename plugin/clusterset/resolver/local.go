package resolver

import (
	"context"
	"errors"
	"slices"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
)

// isNexts reports whether a name of the local cluster, which the member calls name, is served
// as it is asked by a plugin behind this one.
func (r *Resolver) isNexts(q *question.Question, name string) bool {
	return r.HasNext && !q.Addr.IsValid() && question.SameName(name, q.Name)
}

// local answers a name of the local cluster from this server's own plugins.
func (r *Resolver) local(ctx context.Context, q *question.Question, name string) *question.Resolution {
	// A name that is longer in the member's domain than one may be can't exist: RFC 1035,
	// section 2.3.4.
	if _, fits := dns.IsDomainName(name); !fits {
		return zoneAuthority{r}.nameError(q)
	}
	reply, err := finisher{r}.lookUp(ctx, q, name, q.MemberType(), func() {})
	switch {
	case errors.Is(err, errLookUps):
		return r.exhausted(ctx, q, question.Local)
	case err != nil:
		return r.fail(ctx, q, question.Local, dns.ExtendedErrorCodeNoReachableAuthority, q.MemberError(err))
	case isFiltered(reply):
		return q.Refuse(question.OfZone, nil)
	}
	a := finisher{r}.answerOf(q, reply, name, question.Local)
	return finisher{r}.finish(ctx, q, &a)
}

// isFiltered reports whether a reply has no records because this client isn't to have them, as
// acl's filter says (RFC 8914, section 4.18): another client may.
func isFiltered(m *dns.Msg) bool {
	o := m.IsEdns0()
	return o != nil && m.Rcode == dns.RcodeSuccess && len(m.Answer) == 0 && slices.ContainsFunc(o.Option, func(option dns.EDNS0) bool {
		e, ok := option.(*dns.EDNS0_EDE)
		return ok && e.InfoCode == dns.ExtendedErrorCodeFiltered
	})
}
