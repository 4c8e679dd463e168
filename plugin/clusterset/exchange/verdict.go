package exchange

import (
	"errors"
	"slices"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"

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
	reply, err := r.call.outcome(o)
	r.observe(s, reply, err)
	if err == nil {
		s.to.replied(now, now.Sub(s.at), reply.Rcode)
		err = rcodeFailure(reply)
		r.spent = err != nil && r.isSpent(reply)
	}
	if err != nil && !r.spent {
		r.fails(now, s, err)
		return nil, nil
	}
	if !s.stream || s.to.udp == nil { // its answers over TCP are no excuse
		s.to.hit()
		s.to.answers(now)
	}
	if r.spent {
		return nil, nil
	}
	r.learn(now, s, reply)
	if r.keeps(now, s, reply) {
		return nil, nil
	}
	r.winner = s
	if s.why == hedge {
		s.to.metrics.HedgesWon.Inc()
	}
	return reply, s.to
}

// isSpent reports whether a failing reply has a record whose type is the code of the
// query's option: so says a server like this one that the question has no more look-ups to
// make. That is the question's failure, not the upstream's, and so the next one's too.
func (r *race) isSpent(reply *dns.Msg) bool {
	code := r.q.EDNS.Option.Code
	return code != 0 && slices.ContainsFunc(reply.Extra, func(rr dns.RR) bool { return rr.Header().Rrtype == code })
}

// keeps tells whether to wait for a better reply: for the whole of a truncated one,
// for a positive one in the place of a negative one that isn't authoritative.
func (r *race) keeps(now time.Time, s *send, reply *dns.Msg) bool {
	switch {
	case reply.Truncated && !s.stream && (r.q.TCP || r.q.takesMore()):
		r.keep(reply, s, r.share(now))
		r.askWhole(now, s.to)
		return true
	case r.kept == nil && isNegative(reply) && !reply.Authoritative && r.waits():
		r.keep(reply, s, now.Add(r.patience))
		return true
	}
	return false
}

// share ends the part of the time left that asking for a whole reply may take.
func (r *race) share(now time.Time) time.Time { return now.Add(r.q.Deadline.Sub(now) / wholeShare) }

// askWhole asks the upstream for the whole of a truncated reply: over a stream, else
// over UDP for as much as goes.
func (r *race) askWhole(now time.Time, u *upstream) {
	asked := r.sentAs(u, func(s *send) bool { return s.why == whole }) || r.streamless&u.bit != 0 || u.lacks(&u.streams, now)
	if asked || r.call.sent == maxSends || !r.sendTo(now, u, whole, true, r.form(now, u, true)) {
		r.widen(now)
	}
}

// widen asks for a truncated reply that is kept with MaxSize, once, where the client can
// take it and there is no stream.
func (r *race) widen(now time.Time) bool {
	u := r.keptFrom
	if u == nil || !r.kept.Truncated || r.call.sent == maxSends || r.q.EDNS.Size == 0 || !r.q.TCP && r.q.EDNS.Size <= DatagramSize {
		return false
	}
	if u.udp == nil || u.lacks(&u.edns, now) || r.sentAs(u, func(s *send) bool { return s.form == wide }) {
		return false
	}
	r.keptUntil = r.share(now)
	return r.sendTo(now, u, whole, false, wide)
}

// sentAs reports whether the upstream was sent a message that is so.
func (r *race) sentAs(u *upstream, is func(*send) bool) bool {
	for i := range r.call.sends[:r.call.sent] {
		if s := &r.call.sends[i]; s.to == u && is(s) {
			return true
		}
	}
	return false
}

// sentOver reports whether the upstream was sent the message over a stream, or over none.
func (r *race) sentOver(u *upstream, stream bool) bool {
	for i := range r.call.sends[:r.call.sent] {
		if s := &r.call.sends[i]; s.to == u && s.stream == stream {
			return true
		}
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

// fails takes in that a send has brought nothing of use. It may have been the message's
// form, or the way it went.
func (r *race) fails(now time.Time, s *send, err error) {
	switch {
	case s.form != bare && r.q.EDNS.Size > 0 && refusesEDNS(err) && r.call.sent < maxSends && !r.sentAs(s.to, isBare):
		r.sendTo(now, s.to, other, s.stream, bare)
	case s.stream && s.to.udp != nil && isGone(err):
		r.streamless |= s.to.bit
		r.note(s.to, err)
		s.to.suspect()
	default:
		r.fail(s.to, err)
	}
}

func isBare(s *send) bool { return s.form == bare }

// isGone reports whether there was no reply, because the upstream couldn't be reached or
// let its time pass.
func isGone(err error) bool {
	reason := reasonOf(err)
	return reason == Network || reason == NoReply
}

// refusesEDNS reports whether a reply says that the upstream doesn't take EDNS, or this
// version of it: RFC 6891, sections 6.1.3 and 7.
func refusesEDNS(err error) bool {
	rcode, ok := errors.AsType[rcodeError](err)
	return ok && (rcode == dns.RcodeFormatError || rcode == dns.RcodeNotImplemented || rcode == dns.RcodeBadVers)
}

// learn takes in from the upstream's answer what it doesn't take: in another form, or
// over a stream, the same message brought nothing. One that is truncated may yet come
// whole over a new stream.
func (r *race) learn(now time.Time, s *send, reply *dns.Msg) {
	if r.call.sent == 1 {
		return
	}
	if s.form == bare && r.sentAs(s.to, func(o *send) bool { return o.form != bare && o.ended }) {
		s.to.found(&s.to.edns, now)
	}
	if !s.stream && !reply.Truncated {
		r.learnStream(s.to)
	}
}

// learnKept is learn for a truncated reply that is given, as its whole didn't come.
func (r *race) learnKept(reply *dns.Msg) {
	if reply == r.kept && reply.Truncated {
		r.learnStream(r.keptFrom)
	}
}

func (r *race) learnStream(u *upstream) {
	if u.udp != nil && r.sentAs(u, func(o *send) bool { return o.stream && (!o.ended || r.streamless&u.bit != 0) }) {
		u.examine(&u.streams) // that may have been a connection, not all
	}
}

// note takes in an error of an upstream.
func (r *race) note(u *upstream, err error) Reason {
	if r.failure == nil {
		r.failure = &Error{Member: r.client.member.Name}
	}
	r.failure.add(u, err)
	reason := reasonOf(err)
	u.metrics.Failed[reason].Inc()
	return reason
}

// fail takes in that an upstream failed the query.
func (r *race) fail(u *upstream, err error) {
	r.failed |= u.bit
	switch r.note(u, err) {
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
		r.learnKept(reply)
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
	query, proto := new(dns.Msg), "tcp"
	_ = query.Unpack(r.call.wire.as(s.form)) // which we packed
	query.Id = 0
	if !s.stream || s.to.address.Scheme == model.QUIC {
		proto = "udp"
	}
	r.q.Observe(Attempt{Upstream: s.to.address, Local: s.local, Proto: proto, Start: s.at, Query: query, Reply: reply, Err: err})
}
