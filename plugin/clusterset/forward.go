package clusterset

import (
	"errors"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

// toMember has the member asked, when the way there has been gone back.
func (q *ask) toMember() (int, error) {
	q.asks = true
	return dns.RcodeSuccess, nil
}

// forward asks the member for the name, in its own domain, and answers with what
// it says.
func (q *ask) forward() (int, error) {
	asked := q.asked()
	if hops(q.state.Req) >= maxHops {
		return q.refuse(errors.New("member " + q.member.Name + ": forwarded too often: its DNS asks this server again"))
	}
	if q.member.broken != nil {
		return q.unreachable(dns.ExtendedErrorCodeNoReachableAuthority, q.memberError(q.member.broken))
	}
	question := q.query(asked)
	question.Deadline, question.Observe = q.deadline(), q.observer()
	reply, upstream, err := q.member.client.Exchange(q.ctx, &question)
	if err != nil {
		return q.failed(err)
	}
	query.Clean(reply)
	q.keep(asked, reply)
	if q.labeled {
		q.label(ctxUpstream, upstream.String())
	}
	return q.answer(reply, asked, fromForward)
}

// query is the question for the member, but for its deadline.
func (q *ask) query(asked string) exchange.Query {
	r := q.state.Req
	return exchange.Query{
		Name:              asked,
		Type:              q.askedType(),
		RecursionDesired:  r.RecursionDesired,
		AuthenticatedData: r.AuthenticatedData,
		CheckingDisabled:  r.CheckingDisabled,
		EDNS:              q.edns(),
		TCP:               q.state.Proto() == "tcp",
	}
}

// deadline ends the whole query, with all the look-ups within it.
func (q *ask) deadline() time.Time {
	if q.end.IsZero() {
		q.end = time.Now().Add(q.p.options.timeout)
		if q.within() != nil {
			if outer, ok := q.ctx.Deadline(); ok && outer.Before(q.end) {
				q.end = outer
			}
		}
	}
	return q.end
}

// edns is the EDNS of the query for the member, ours with this hop (RFC 6891,
// section 6.1.1): it carries the client's size and DO bit, and none of its
// options. A client without EDNS is still given no more than it can take.
func (q *ask) edns() exchange.EDNS {
	e := exchange.EDNS{Size: dns.MinMsgSize, Option: q.hop()}
	if o := q.state.Req.IsEdns0(); o != nil {
		e.Size, e.DO = min(max(o.UDPSize(), dns.MinMsgSize), exchange.MaxSize), o.Do()
	}
	return e
}

// failed replies to a failed exchange: REFUSED to too many queries, for the
// client to try another server, else SERVFAIL with what went wrong.
func (q *ask) failed(err error) (int, error) {
	failure, ok := errors.AsType[*exchange.Error](err)
	if !ok {
		return dns.RcodeServerFailure, err
	}
	switch {
	case failure.Reason == exchange.Spent:
		return q.exhausted(fromForward)
	case failure.Reason == exchange.Busy && q.old != nil:
		return q.oldAnswer(err)
	case failure.Reason == exchange.Busy:
		return q.refuse(err)
	case failure.Reason == exchange.Unsendable: // longer in the member's domain than a name can be
		return q.nameError()
	case failure.Reason == exchange.Network || failure.Reason == exchange.Canceled:
		return q.unreachable(dns.ExtendedErrorCodeNetworkError, err)
	}
	return q.unreachable(dns.ExtendedErrorCodeNoReachableAuthority, err)
}

// isSpent reports whether a server like this one had no look-up left for the question.
func isSpent(err error) bool {
	failure, ok := errors.AsType[*exchange.Error](err)
	return ok && failure.Reason == exchange.Spent
}

// unreachable replies where the member's DNS doesn't: from stale data that have the
// name, else with a stale answer, if there are any.
func (q *ask) unreachable(code uint16, err error) (int, error) {
	switch {
	case q.abandoned():
		return q.failFrom(fromForward, code, err)
	case q.fallback != nil && (q.old == nil || q.servable(q.fallback) && q.look(q.fallback, 0).Exists):
		return q.stale(q.fallback, fromForward, code, err)
	case q.old != nil:
		return q.oldAnswer(err)
	}
	return q.failFrom(fromForward, code, err)
}
