package resolver

import (
	"context"
	"errors"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
)

// memberError returns err, of the question's member; what a client is told of it stays apart.
func (q *Question) memberError(err error) error { return q.Member.Failed(err) }

// ErrNotReady is why nothing can be answered before there is a ClusterSet.
var ErrNotReady = errors.New("no ClusterSet yet")

// resolution returns the question's, with nothing yet but what is counted of it. It lies with the question, so that
// it costs no memory of its own, nor of the stack.
func (q *Question) resolution(source Source) *Resolution {
	res, rare := &q.room, q.room.Rare
	*res = Resolution{}
	res.Question, res.Member, res.Source, res.Code, res.Rare = q, q.Member, source, NoExtendedError, rare
	return res
}

// next passes the question on.
func (q *Question) next(action Action) *Resolution {
	res := q.resolution(OfZone)
	res.Action = action
	return res
}

// fail is SERVFAIL with what went wrong, for the client (RFC 8914) and for the errors plugin;
// where nobody waits for it any more, in a way that the cache plugin doesn't keep: a failure
// without a message where the context has ended, and REFUSED where it is about to.
func (r *Resolver) fail(ctx context.Context, q *Question, source Source, code uint16, err error) *Resolution {
	res := q.resolution(source)
	res.Rcode, res.Code, res.Text, res.Err = dns.RcodeServerFailure, code, members.Brief(err), err
	if abandoned(ctx) {
		res.Action = ReplyRcode
		if ctx.Err() == nil {
			res.Rcode = dns.RcodeRefused
		}
	}
	return res
}

// refuse is REFUSED, for err: nobody is asked.
func (q *Question) refuse(source Source, err error) *Resolution {
	res := q.resolution(source)
	res.Action, res.Rcode, res.Err = ReplyRcode, dns.RcodeRefused, err
	return res
}

// exhausted is the reply to a question that has made too many look-ups. Of one that was part
// of another, or is marked as such, nothing may be kept, as another client has more: it is
// REFUSED, and where a server like this one asked, it learns the reason by a record, and asks
// nobody else. (An option wouldn't get past a cache plugin.)
func (r *Resolver) exhausted(ctx context.Context, q *Question, source Source) *Resolution {
	err := q.memberError(errLookUps)
	if lookUpOf(ctx) == nil && !q.Trail.Marked {
		res := r.fail(ctx, q, source, dns.ExtendedErrorCodeNoReachableAuthority, err)
		res.Rare.Exhausted = true
		return res
	}
	res := q.refuse(source, err)
	res.Rare.Exhausted = true
	if q.Trail.Marked {
		res.Action = Reply
		res.Additional = []dns.RR{&dns.RFC3597{Hdr: dns.RR_Header{Name: ".", Rrtype: trailOption, Class: dns.ClassINET}}}
	}
	return res
}
