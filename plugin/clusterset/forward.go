package clusterset

import (
	"errors"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
)

// forward asks the member for the name, in its own domain, and answers with what
// it says.
func (q *ask) forward() (int, error) {
	asked := q.asked()
	if hops(q.state.Req) >= maxHops {
		q.count(fromForward, dns.RcodeRefused)
		return dns.RcodeRefused, errors.New("member " + q.member.Name + ": forwarded too often: its DNS asks this server again")
	}
	if q.member.broken != nil {
		return q.unreachable(dns.ExtendedErrorCodeNoReachableAuthority, q.memberError(q.member.broken))
	}
	growStack()
	reply, upstream, err := q.member.client.Exchange(q.ctx, &exchange.Query{
		Name:              asked,
		Type:              q.state.Req.Question[0].Qtype,
		RecursionDesired:  q.state.Req.RecursionDesired,
		AuthenticatedData: q.state.Req.AuthenticatedData,
		CheckingDisabled:  q.state.Req.CheckingDisabled,
		EDNS:              edns(q.state.Req),
		TCP:               q.state.Proto() == "tcp",
		Deadline:          q.deadline(),
		Observe:           q.observer(),
	})
	if err != nil {
		return q.failed(err)
	}
	if q.labeled {
		q.label(ctxUpstream, upstream.String())
	}
	return q.answer(reply, asked, fromForward)
}

// deadline ends the whole query, with all the look-ups within it.
func (q *ask) deadline() time.Time {
	if q.end.IsZero() {
		q.end = time.Now().Add(q.p.options.timeout)
		if q.depth() > 0 {
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
func edns(r *dns.Msg) exchange.EDNS {
	e := exchange.EDNS{Size: dns.MinMsgSize, Option: hop(r)}
	if o := r.IsEdns0(); o != nil {
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
	switch failure.Reason {
	case exchange.Busy:
		q.count(fromForward, dns.RcodeRefused)
		return dns.RcodeRefused, err
	case exchange.Unsendable: // longer in the member's domain than a name can be
		return q.nameError()
	case exchange.Network, exchange.Canceled:
		return q.unreachable(dns.ExtendedErrorCodeNetworkError, err)
	}
	return q.unreachable(dns.ExtendedErrorCodeNoReachableAuthority, err)
}

// unreachable replies where the member's DNS doesn't: from stale data, if there
// are any.
func (q *ask) unreachable(code uint16, err error) (int, error) {
	if q.fallback == nil {
		return q.fail(code, err)
	}
	return q.stale(q.fallback, fromForward, code, err)
}
