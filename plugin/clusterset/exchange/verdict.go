package exchange

import (
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
)

// judge decides what an outcome is worth: it returns the reply if that is the query's. A
// reply with any rcode but NOERROR and NXDOMAIN is a failure.
func (r *race) judge(o *transport.Outcome) (*dns.Msg, *upstream) {
	a := &r.attempts.list[o.Message.Nth]
	reply, err := o.Reply()
	r.q.observe(a, reply, err)
	if err == nil {
		a.to.replied(r.now, r.now.Sub(a.At), reply.Rcode)
		err = rcodeFailure(reply)
		r.spent = err != nil && r.q.isSpent(reply)
	}
	if err != nil && !r.spent {
		r.fails(a, err)
		return nil, nil
	}
	if !a.Stream || a.to.datagrams == nil { // its answers over TCP don't make up for UDP
		a.to.ejection.hit()
		a.to.health.answers(r.now)
	}
	if r.spent {
		return nil, nil
	}
	r.candidates.learn(r.now, a, reply)
	if r.keeps(a, reply) {
		return nil, nil
	}
	r.winner = a
	if a.why == hedge {
		a.to.metrics.HedgesWon.Inc()
	}
	return reply, a.to
}

// keeps reports whether to keep a reply, and wait for a better one: for the whole of a
// truncated one, for a positive one in the place of a negative one that isn't authoritative.
// Nobody else is asked meanwhile.
func (r *race) keeps(a *attempt, reply *dns.Msg) bool {
	isTruncated := reply.Truncated && !a.Stream && (r.q.TCP || r.q.takesMore())
	switch {
	case isTruncated:
		r.kept = kept{reply, a.to, r.q.truncatedUntil(r.now)}
	case r.kept.reply == nil && isNegative(reply) && !reply.Authoritative && r.candidates.mayReply():
		r.kept = kept{reply, a.to, r.now.Add(r.timers.rto)}
	default:
		return false
	}
	r.timers.hedge, r.timers.retransmit = time.Time{}, time.Time{}
	if isTruncated {
		r.retryTruncated(a.to)
	}
	return true
}

// isNegative reports whether a reply says that there is nothing.
func isNegative(reply *dns.Msg) bool { return len(reply.Answer) == 0 }

// fails judges an attempt that brought nothing of use. It may have been the message's form,
// or the way it went, and not the upstream.
func (r *race) fails(a *attempt, err error) {
	switch {
	case r.retryWithoutEDNS(a, err):
	case a.Stream && a.to.datagrams != nil && isGone(err):
		r.candidates.streamless |= a.to.bit
		r.candidates.note(a.to, err)
		a.to.health.suspect()
	default:
		r.candidates.fail(a.to, err)
	}
}

// isGone reports whether there was no reply, because the upstream couldn't be reached or
// let its time pass.
func isGone(err error) bool {
	reason := reasonOf(err)
	return reason == Network || reason == NoReply
}

// rcodeFailure returns the error of a reply with an rcode that is no answer.
func rcodeFailure(reply *dns.Msg) error {
	if wire.IsFailure(reply.Rcode) {
		return rcodeError(reply.Rcode)
	}
	return nil
}
