package exchange

import (
	"slices"
	"time"

	"github.com/miekg/dns"
)

// wholeShare is the part of the time left that asking for the whole of a
// truncated reply may take: the client can do that itself.
const wholeShare = 4

// take takes in what became of a send. It gives the reply if that is the query's.
func (r *race) take(now time.Time, o *outcome) (*dns.Msg, *upstream) {
	s := &r.call.sends[o.send]
	s.ended = true
	if o.local != nil {
		s.local = o.local
	}
	reply, err := o.message(r.call.wire)
	r.observe(s, reply, err)
	if err == nil {
		s.to.replied(now, now.Sub(s.at), reply.Rcode)
		err = rcodeFailure(reply)
		r.spent = err != nil && r.isSpent(reply)
	}
	if err != nil && !r.spent {
		r.fail(s.to, err)
		return nil, nil
	}
	if s.proto == overUDP || s.to.udp == nil { // its answers over TCP are no excuse
		s.to.hit()
		s.to.answers(now)
	}
	if r.spent {
		return nil, nil
	}
	if r.keeps(now, s, reply) {
		return nil, nil
	}
	r.winner = s
	if s.why == hedge {
		s.to.metrics.HedgesWon.Inc()
	}
	return reply, s.to
}

// isSpent reports whether a failing reply gives back the option that the query carried:
// so says a server like this one that the question has no more look-ups to make. That
// is the question's failure, not the upstream's, and so the next one's too.
func (r *race) isSpent(reply *dns.Msg) bool {
	code, opt := r.q.EDNS.Option.Code, reply.IsEdns0()
	return code != 0 && opt != nil && slices.ContainsFunc(opt.Option, func(o dns.EDNS0) bool { return o.Option() == code })
}

// keeps tells whether to wait for a better reply: for the whole of a truncated one,
// for a positive one in the place of a negative one that isn't authoritative.
func (r *race) keeps(now time.Time, s *send, reply *dns.Msg) bool {
	switch {
	case reply.Truncated && s.proto == overUDP && s.to.udp != nil && r.q.takesMore():
		r.keep(reply, s, now.Add(r.q.Deadline.Sub(now)/wholeShare))
		return r.call.sent < maxSends && r.sendTo(s.to, now, whole, true)
	case r.kept == nil && isNegative(reply) && !reply.Authoritative && r.waits():
		r.keep(reply, s, now.Add(r.patience))
		return true
	}
	return false
}

// isNegative tells whether a reply says that there is nothing.
func isNegative(reply *dns.Msg) bool { return len(reply.Answer) == 0 }

// keep keeps a reply until then, for want of a better one. Nobody else is asked
// meanwhile.
func (r *race) keep(reply *dns.Msg, s *send, until time.Time) {
	r.kept, r.keptFrom, r.keptUntil = reply, s.to, until
	r.hedgeAt, r.againAt = time.Time{}, time.Time{}
}

// replied takes in that the upstream replied.
func (u *upstream) replied(now time.Time, took time.Duration, rcode int) {
	u.metrics.Duration.Observe(took.Seconds())
	u.metrics.reply(rcode)
	if u.latency.add(took) {
		u.compare(now)
	}
}

// fail takes in that an upstream failed the query.
func (r *race) fail(u *upstream, err error) {
	if r.failure == nil {
		r.failure = &Error{Member: r.client.member.Name}
	}
	r.failure.add(u, err)
	r.failed |= u.bit
	reason := reasonOf(err)
	u.metrics.Failed[reason].Inc()
	switch reason {
	case Canceled, Local: // says nothing about the upstream
	case Network:
		u.health.unreachable.Store(true)
		u.suspect()
	default:
		u.suspect()
	}
}

// suspect has the upstreams probed that haven't answered.
func (r *race) suspect() {
	for i := range r.call.sends[:r.call.sent] {
		if s := &r.call.sends[i]; !s.ended {
			s.to.suspect()
		}
	}
}

// end settles what is left when the query ends: the upstreams that another one
// had to answer for have missed it. Without a reply, it gives the error.
func (r *race) end(reply *dns.Msg) error {
	settled := reply != nil || r.spent
	if reply != nil && r.call.sent == 1 {
		return nil
	}
	for i := range r.call.sends[:r.call.sent] {
		s := &r.call.sends[i]
		if s.ended {
			continue
		}
		if settled {
			r.observe(s, nil, nil)
			continue
		}
		r.observe(s, nil, r.silence)
		if !r.hasFailed(s.to) {
			r.fail(s.to, r.silence)
		}
	}
	switch {
	case r.spent:
		return &Error{Member: r.client.member.Name, Reason: Spent}
	case reply != nil:
		r.misses()
		return nil
	case r.failure != nil:
		return r.failure
	case time.Until(r.q.Deadline) <= 0: // no time was left to begin with
		return &Error{Member: r.client.member.Name, Reason: NoReply, Err: errNoReply}
	}
	return r.client.allDown()
}

// misses counts what was sent before the winner and not answered as it was.
func (r *race) misses() {
	now := time.Now()
	for i := range r.call.sends[:r.call.sent] {
		s := &r.call.sends[i]
		if s == r.winner || r.winner == nil {
			return
		}
		if s.to == r.winner.to {
			continue
		}
		s.to.miss(now)
	}
}

func (r *race) observe(s *send, reply *dns.Msg, err error) {
	if r.q.Observe == nil {
		return
	}
	r.q.Observe(Attempt{
		Upstream: s.to.address, Local: s.local, Proto: s.proto, Start: s.at,
		Query: r.q.message(), Reply: reply, Err: err,
	})
}
