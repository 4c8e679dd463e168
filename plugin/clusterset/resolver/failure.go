package resolver

import (
	"context"
	"errors"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
)

// ErrNotReady is why nothing can be answered before there is a ClusterSet.
var ErrNotReady = errors.New("no ClusterSet yet")

// fail is SERVFAIL with what went wrong, for the client (RFC 8914) and for the errors plugin;
// where nobody waits for it any more, in a way that the cache plugin doesn't keep: a failure
// without a message where the context has ended, and REFUSED where it is about to.
func (r *Resolver) fail(ctx context.Context, q *question.Question, source question.Source, code uint16, err error) *question.Resolution {
	res := q.Begin(source)
	res.Rcode, res.Code, res.Text, res.Err = dns.RcodeServerFailure, code, members.Brief(err), err
	if question.Abandoned(ctx) {
		res.Action = question.ReplyRcode
		if ctx.Err() == nil {
			res.Rcode = dns.RcodeRefused
		}
	}
	return res
}

// exhausted is the reply to a question that has made too many look-ups. Of one that was part
// of another, or is marked as such, nothing may be kept, as another client has more: it is
// REFUSED, and where a server like this one asked, it learns the reason by a record, and asks
// nobody else. (An option wouldn't get past a cache plugin.)
func (r *Resolver) exhausted(ctx context.Context, q *question.Question, source question.Source) *question.Resolution {
	err := q.MemberError(errLookUps)
	if !question.IsWithin(ctx) && !q.Trail.Marked {
		res := r.fail(ctx, q, source, dns.ExtendedErrorCodeNoReachableAuthority, err)
		res.Rare.Exhausted = true
		return res
	}
	res := q.Refuse(source, err)
	res.Rare.Exhausted = true
	if q.Trail.Marked {
		res.Action = question.Reply
		res.Additional = []dns.RR{&dns.RFC3597{Hdr: dns.RR_Header{Name: ".", Rrtype: question.TrailOption, Class: dns.ClassINET}}}
	}
	return res
}
