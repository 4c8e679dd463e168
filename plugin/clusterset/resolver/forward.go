package resolver

import (
	"context"
	"errors"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/batch/turn"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/answercache"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
)

var (
	errSlow = errors.New("no reply within " + answercache.ClientTimeout.String())
	errHops = errors.New("forwarded too often: its DNS asks this server again")
)

// forwarder answers from a member's DNS, or from the cache of its answers.
type forwarder struct{ *Resolver }

// forward answers with what the member's DNS said, while that is fresh, and asks it else.
// stale are data to answer from, should it fail; nil where there are none.
func (r forwarder) forward(ctx context.Context, q *question.Question, stale *member.View) *question.Resolution {
	m, old := q.Member, fallback{data: stale}
	if m.Answers == nil || m.Broken != nil {
		return r.ask(ctx, q, &old)
	}
	key := answercache.KeyOf(q.Request)
	kept := m.Answers.Get(key)
	if kept != nil && kept.State(q.Received) == answercache.Fresh {
		return r.cached(ctx, q, key, kept)
	}
	var res *question.Resolution
	if kept == nil || kept.State(q.Received) == answercache.Gone {
		res = r.ask(ctx, q, &old)
	} else {
		old.answer = kept
		res = r.askSoon(ctx, q, key, &old)
	}
	res.Cache.Result = question.CacheMiss
	return res
}

// fallback is what there is to answer with where the member's DNS can't be asked.
type fallback struct {
	data   *member.View        // stale data, or nil
	answer *answercache.Answer // an expired one, or nil
}

// cached answers with what the cache has, and has it asked for anew where it is about to
// expire.
func (r forwarder) cached(ctx context.Context, q *question.Question, key answercache.Key, kept *answercache.Answer) *question.Resolution {
	a := finisher(r).answerOf(q, kept.Message(q.Received), kept.Asked, question.FromCache)
	due := !q.Trail.Marked && kept.Due(q.Received)
	if due {
		q.Member.Answers.Refresh(key, kept, r.refresh(ctx, q, kept.Asked))
	}
	if kept.Kind() == answercache.Negative {
		a.age = kept.Age(q.Received)
	}
	res := finisher(r).finish(ctx, q, &a)
	res.Cache, res.Rare.Prefetched = question.Cached{Result: question.CacheHit, Kind: kept.Kind()}, due
	return res
}

// askSoon answers a name whose answer has expired: as the member says now, if it says so
// soon, else with that answer, while the member is being asked on (RFC 8767, section 5).
func (r forwarder) askSoon(ctx context.Context, q *question.Question, key answercache.Key, old *fallback) *question.Resolution {
	if q.Trail.Marked {
		return r.ask(ctx, q, old)
	}
	refresh := q.Member.Answers.Refresh(key, old.answer, r.refresh(ctx, q, old.answer.Asked))
	turn.Yield(ctx)
	switch {
	case refresh == nil: // the member has left since
		return r.ask(ctx, q, old)
	case !refresh.Wait(question.Deadline(ctx, q, r.Timeout)):
		return r.lastResort(ctx, q, old, failure{question.Forward, dns.ExtendedErrorCodeNoReachableAuthority, q.MemberError(errSlow)})
	}
	reply, err := refresh.Reply()
	switch {
	case isSpent(err), err == nil && reply.Truncated: // as the query that began the refresh was; this one may have more look-ups, or take more
		return r.ask(ctx, q, old)
	case err != nil:
		return r.failed(ctx, q, old, err)
	}
	return r.Answer(ctx, q, old.answer.Asked, reply)
}

// ask asks the member for the name, in its own domain, and answers with what it says.
func (r forwarder) ask(ctx context.Context, q *question.Question, old *fallback) *question.Resolution {
	switch m := q.Member; {
	case q.Trail.Hops >= question.MaxHops:
		return q.Refuse(question.OfZone, q.MemberError(errHops))
	case m.Broken != nil:
		return r.lastResort(ctx, q, old, failure{question.Forward, dns.ExtendedErrorCodeNoReachableAuthority, q.MemberError(m.Broken)})
	}
	message := &q.Sent // on the stack it would be too much: growStack
	write(ctx, q, message, q.MemberName())
	message.Deadline = question.Deadline(ctx, q, r.Timeout)
	var attempts *[]question.Attempt
	if shows, messages := q.Client.ShowsAttempts(); shows {
		attempts = record(message, messages)
	}
	turn.Yield(ctx)
	reply, upstream, err := q.Member.Client.Exchange(ctx, message)
	var res *question.Resolution
	if err == nil {
		query.Clean(reply)
		r.keep(q, message.Name, reply)
		res = r.Answer(ctx, q, message.Name, reply)
		res.Upstream = upstream
	} else {
		res = r.failed(ctx, q, old, err)
	}
	if attempts != nil {
		res.Attempts = *attempts
	}
	return res
}

// Answer returns the Resolution with the member's reply, which it gave when it was asked for a
// name. The reply is the Resolution's from then on.
func (r *Resolver) Answer(ctx context.Context, q *question.Question, asked string, reply *dns.Msg) *question.Resolution {
	a := finisher{r}.answerOf(q, reply, asked, question.Forward)
	return finisher{r}.finish(ctx, q, &a)
}

// keep puts the member's reply into the cache. What a query that was forwarded before gets
// isn't kept: it may be what comes of a loop.
func (r forwarder) keep(q *question.Question, asked string, reply *dns.Msg) {
	if q.Member.Answers != nil && !q.Trail.Marked {
		q.Member.Answers.Put(answercache.KeyOf(q.Request), asked, reply, time.Now())
	}
}

// refresh returns how the member is asked beside the questions, in the words of this one and
// with the look-ups that it may still make. It may be over before that: nothing of it is
// touched.
func (r forwarder) refresh(ctx context.Context, q *question.Question, asked string) func(context.Context) (*dns.Msg, error) {
	message, client, timeout := new(exchange.Query), q.Member.Client, r.Timeout
	write(ctx, q, message, asked)
	if r.Refreshing != nil {
		message.Observe = r.Refreshing()
	}
	return func(ctx context.Context) (*dns.Msg, error) {
		message.Deadline = time.Now().Add(timeout)
		reply, _, err := client.Exchange(ctx, message)
		if err == nil {
			query.Clean(reply)
		}
		return reply, err
	}
}

// write makes m the query for the member, but for its deadline. Its EDNS is ours with this hop
// (RFC 6891, section 6.1.1): it carries the client's size and DO bit, and none of its options.
// A client without EDNS is still given no more than it can take.
func write(ctx context.Context, q *question.Question, m *exchange.Query, asked string) {
	r, left := q.Request, question.LookUpsLeft(ctx, q)
	m.Name, m.Type, m.TCP = asked, q.MemberType(), q.Client.OverStream()
	m.RecursionDesired, m.AuthenticatedData, m.CheckingDisabled = r.RecursionDesired, r.AuthenticatedData, r.CheckingDisabled
	m.EDNS.Size, m.EDNS.Option = dns.MinMsgSize, question.Hop(int(q.Trail.Hops), left)
	if o := r.IsEdns0(); o != nil {
		m.EDNS.Size, m.EDNS.DO = min(max(o.UDPSize(), dns.MinMsgSize), exchange.MaxSize), o.Do()
	}
}

// failed answers where an exchange failed: REFUSED to too many queries, for the client to try
// another server; what is stale; else SERVFAIL with what went wrong.
func (r forwarder) failed(ctx context.Context, q *question.Question, old *fallback, err error) *question.Resolution {
	failed, ok := errors.AsType[*exchange.Error](err)
	if !ok {
		return q.Fault(err)
	}
	code := dns.ExtendedErrorCodeNoReachableAuthority
	switch failed.Reason {
	case exchange.Spent:
		return r.exhausted(ctx, q, question.Forward)
	case exchange.Busy:
		if old.answer == nil {
			return q.Refuse(question.OfZone, err)
		}
		return r.expired(ctx, q, old.answer, err)
	case exchange.Unsendable: // longer in the member's domain than a name can be
		return zoneAuthority(r).nameError(q)
	case exchange.Network, exchange.Canceled:
		code = dns.ExtendedErrorCodeNetworkError
	}
	return r.lastResort(ctx, q, old, failure{question.Forward, code, err})
}

// isSpent reports whether a server like this one had no look-up left for the question.
func isSpent(err error) bool {
	failed, ok := errors.AsType[*exchange.Error](err)
	return ok && failed.Reason == exchange.Spent
}

// record has a query's attempts recorded, until it is over, with their messages or without.
func record(message *exchange.Query, messages bool) *[]question.Attempt {
	attempts := new([]question.Attempt)
	message.Observe = func(a exchange.Attempt) { *attempts = append(*attempts, Recorded(a, messages)) }
	return attempts
}

// Recorded returns an attempt as a Resolution keeps it: the messages change hands after it.
func Recorded(a exchange.Attempt, messages bool) question.Attempt {
	recorded := question.Attempt{
		Upstream: a.Upstream, Local: a.Local, Proto: a.Proto, Start: a.Start, End: time.Now(), Err: a.Err, Replied: a.Reply != nil,
	}
	if !messages {
		return recorded
	}
	recorded.Query, _ = a.Query.Pack() // it was packed before
	if a.Reply != nil {
		recorded.Reply, _ = a.Reply.Pack() // what can't be packed isn't shown
	}
	return recorded
}
