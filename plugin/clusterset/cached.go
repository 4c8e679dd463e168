package clusterset

import (
	"context"
	"errors"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/answercache"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

var errSlow = errors.New("no reply within " + answercache.Patience.String())

// cached answers with what the member's DNS said, while that is fresh, and asks it
// else.
func (q *ask) cached() (int, error) {
	answers := q.member.answers
	if answers == nil || q.member.broken != nil {
		return q.toMember()
	}
	now := time.Now()
	key := answercache.KeyOf(q.state.Req)
	kept := answers.Get(key)
	metrics := &q.member.metrics.cache
	switch {
	case kept == nil:
	case kept.State(now) == answercache.Fresh:
		metrics.hits[kept.Kind()].Inc()
		if !trailOf(q.state.Req).marked && kept.Due(now) {
			q.prefetch(key, kept)
		}
		if kept.Kind() == answercache.Negative {
			q.age = kept.Age(now)
		}
		return q.answer(kept.Message(now), kept.Asked, fromCache)
	case kept.State(now) == answercache.Stale:
		metrics.misses.Inc()
		q.old = kept
		return q.refreshed(key)
	}
	metrics.misses.Inc()
	return q.toMember()
}

// keep puts the member's reply into the cache. What a query that was forwarded
// before gets isn't kept: it may be what is left of a loop.
func (q *ask) keep(asked string, reply *dns.Msg) {
	if q.member.answers != nil && !trailOf(q.state.Req).marked {
		q.member.answers.Put(answercache.KeyOf(q.state.Req), asked, reply, time.Now())
	}
}

// prefetch asks the member for a popular name before its answer expires, so that
// no query waits for that.
func (q *ask) prefetch(key answercache.Key, kept *answercache.Answer) {
	q.member.metrics.cache.prefetches.Inc()
	q.member.answers.Refresh(key, kept, q.refresh(kept.Asked))
}

// refreshed answers a name whose answer is stale: as the member says now, if it says
// so soon, else with the stale answer, while the member is being asked on (RFC 8767,
// section 5).
func (q *ask) refreshed(key answercache.Key) (int, error) {
	if trailOf(q.state.Req).marked {
		return q.toMember()
	}
	flight := q.member.answers.Refresh(key, q.old, q.refresh(q.old.Asked))
	switch {
	case flight == nil: // the member has left since
		return q.toMember()
	case !flight.Wait(q.deadline()):
		return q.unreachable(dns.ExtendedErrorCodeNoReachableAuthority, q.memberError(errSlow))
	}
	reply, err := flight.Reply()
	switch {
	case isSpent(err), err == nil && reply.Truncated: // so it is for whom the member was asked; this one may take more
		return q.toMember()
	case err != nil:
		return q.failed(err)
	}
	return q.answer(reply, q.old.Asked, fromForward)
}

// refresh is how the member is asked beside the queries, in the words of this one and
// with the look-ups that its question has left. It may be over before that: nothing of it
// is touched.
func (q *ask) refresh(asked string) func(context.Context) (*dns.Msg, error) {
	question, client, timeout := q.query(asked), q.member.client, q.p.options.timeout
	question.Observe = q.p.refreshObserver()
	return func(ctx context.Context) (*dns.Msg, error) {
		growStack()
		question.Deadline = time.Now().Add(timeout)
		reply, _, err := client.Exchange(ctx, &question)
		if err == nil {
			query.Clean(reply)
		}
		return reply, err
	}
}

// oldAnswer answers with the stale answer there is, for what went wrong.
func (q *ask) oldAnswer(wrong error) (int, error) {
	q.member.metrics.cache.servedStale.Inc()
	q.wrong = wrong
	return q.answer(q.old.StaleMessage(), q.old.Asked, fromStale)
}
