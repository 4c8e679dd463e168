package resolver

import (
	"context"
	"errors"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/answercache"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
)

// maxStaleTTL is the TTL of a stale answer, in seconds, at the most: RFC 8767, section 4.
const maxStaleTTL = 30

var errNoName = errors.New("the name isn't in its stale data")

// failure is what went wrong with a source.
type failure struct {
	source question.Source
	code   uint16 // of the extended error
	err    error
}

// staleData answers from data that nothing proves true any more, where serve_stale still
// allows it: RFC 8767. That something doesn't exist is never said so. Else the reply is
// SERVFAIL, for what went wrong.
func (r forwarder) staleData(ctx context.Context, q *question.Question, v *member.View, wrong failure) *question.Resolution {
	switch {
	case !r.isServable(v):
	case !r.isIn(q, v):
		wrong.err = errors.Join(wrong.err, q.MemberError(errNoName))
	default:
		return r.data(ctx, q, v, wrong.err)
	}
	return r.fail(ctx, q, wrong.source, wrong.code, wrong.err)
}

// isServable reports whether serve_stale allows answers from those data.
func (r forwarder) isServable(v *member.View) bool {
	return v.State != member.Unsynced && time.Since(v.Since) < r.ServeStale
}

// isIn reports whether data have the name.
func (r forwarder) isIn(q *question.Question, v *member.View) bool {
	f := query.Form{Owner: q.Name, Type: q.Type, Domain: q.Member.ClusterDomain}
	if q.Addr.IsValid() {
		return query.Pointers(v.Data, q.Addr, &f).Exists && (!q.IsLimited() || offersOwner(q, v))
	}
	return q.Parsed.Records(v.Data, &f).Exists
}

// lastResort answers where the member's DNS doesn't: from stale data that have the name, else
// with an expired answer, if there are any.
func (r forwarder) lastResort(ctx context.Context, q *question.Question, old *fallback, wrong failure) *question.Resolution {
	switch {
	case question.Abandoned(ctx):
	case old.data != nil && (old.answer == nil || r.isServable(old.data) && r.isIn(q, old.data)):
		return r.staleData(ctx, q, old.data, wrong)
	case old.answer != nil:
		return r.expired(ctx, q, old.answer, wrong.err)
	}
	return r.fail(ctx, q, wrong.source, wrong.code, wrong.err)
}

// expired answers with an expired answer, for what went wrong.
func (r forwarder) expired(ctx context.Context, q *question.Question, kept *answercache.Answer, wrong error) *question.Resolution {
	a := finisher(r).answerOf(q, kept.StaleMessage(), kept.Asked, question.Stale)
	a.stale = wrong
	res := finisher(r).finish(ctx, q, &a)
	res.Rare.Expired = true
	return res
}
