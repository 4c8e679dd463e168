package exchange

import (
	"context"
	"time"

	"github.com/miekg/dns"
)

// race is one query's way to an answer: which upstreams have its message, since
// when, and when to do what next. The first good reply wins.
type race struct {
	client *Client
	q      Query // a copy: a pointer here would put the caller's on the heap
	call   *call
	// start is where this query begins among the upstreams: each has its turn.
	start int
	// failed are the upstreams that failed this query, a bit each; streamless are those
	// of dns:// that gave no stream for it.
	failed, streamless uint64
	// failure is what they did, nil as long as none has; silence is what becomes of
	// those that haven't answered.
	failure *Error
	silence error
	// spent is set when an upstream has said so, which ends the query.
	spent bool
	// hedgeAt and againAt are when the next message is sent; patience is how long
	// that took the last time. Zero is never.
	hedgeAt, againAt time.Time
	patience         time.Duration
	// winner is the send whose reply is given.
	winner *send
	// kept is a reply to give where no better one comes by keptUntil.
	kept      *dns.Msg
	keptFrom  *upstream
	keptUntil time.Time
}

// race asks until one upstream has answered, all have failed, or the time is over.
func (c *Client) race(ctx context.Context, q *Query, w *wire) (*dns.Msg, *upstream, error) {
	call := newCall(w)
	r := &call.race
	r.client, r.call, r.start, r.silence = c, call, int(c.turn.Add(1)), errNoReply
	r.q = *q
	c.hedges.earn()
	c.resends.earn()
	reply, from := r.run(ctx)
	err := r.end(reply)
	call.end()
	return reply, from, err
}

// run is nil without a reply; then end tells why.
func (r *race) run(ctx context.Context) (*dns.Msg, *upstream) {
	now := time.Now()
	if r.q.Deadline.Sub(now) <= 0 || !r.send(now, first) {
		return nil, nil
	}
	for {
		o, err := r.call.wait(ctx, r.wake().Sub(now))
		if err != nil {
			r.silence = err
			return nil, nil
		}
		now = time.Now()
		if o.send == tick {
			if r.late(now) {
				return r.last()
			}
			continue
		}
		if reply, from := r.take(now, &o); reply != nil || r.spent {
			return reply, from
		}
		if !r.waits() && !r.goesOn(now) {
			return r.last()
		}
	}
}

// last is the reply that was kept, as no better one came. A truncated one without an answer
// says nothing to a client that is on a stream already.
func (r *race) last() (*dns.Msg, *upstream) {
	if r.q.TCP && r.kept != nil && r.kept.Truncated && isNegative(r.kept) {
		r.note(r.keptFrom, errTruncated)
		return nil, nil
	}
	return r.kept, r.keptFrom
}

// goesOn asks again where nothing is waited for, and reports whether it could. To a client
// over TCP a truncated reply is of no use: another upstream may have the whole.
func (r *race) goesOn(now time.Time) bool {
	switch {
	case r.widen(now):
		return true
	case r.kept == nil:
		return r.send(now, instead)
	case !r.q.TCP || !r.kept.Truncated:
		return false
	}
	r.failed |= r.keptFrom.bit // it has no more to give
	r.keptUntil = r.share(now)
	return r.send(now, instead)
}

// wake is when something is to be done next.
func (r *race) wake() time.Time {
	at := sooner(r.q.Deadline, r.hedgeAt)
	at = sooner(at, r.againAt)
	return sooner(at, r.keptUntil)
}

// sooner is the earlier of two times, of which maybe is never when it is zero.
func sooner(at, maybe time.Time) time.Time {
	if !maybe.IsZero() && maybe.Before(at) {
		return maybe
	}
	return at
}

// late does what is due. It is true when the query's time is over.
func (r *race) late(now time.Time) (over bool) {
	if !now.Before(r.q.Deadline) || due(now, r.keptUntil) && !r.goesOn(now) {
		return true
	}
	if due(now, r.hedgeAt) {
		r.hedgeAt = time.Time{}
		if r.client.hedges.spend(hedgePrice) {
			r.send(now, hedge)
		}
	}
	if due(now, r.againAt) {
		r.suspect()
		if r.patience < maxPatience && !r.client.resends.spend(resendPrice) {
			r.againAt = now.Add(maxPatience - r.patience)
			r.patience = maxPatience
			return false
		}
		r.patience = min(2*r.patience, maxPatience)
		if !r.send(now, again) {
			r.againAt = now.Add(r.patience)
			return r.hopes()
		}
	}
	return false
}

func due(now, at time.Time) bool { return !at.IsZero() && !now.Before(at) }

// send sends the message to the next upstream, or the one after it where that
// fails at once. It is false when there is none.
func (r *race) send(now time.Time, why reason) bool {
	for r.call.sent < maxSends {
		u := r.next(now, why)
		if u == nil {
			return false
		}
		if stream := r.overStream(now, u); !r.sendTo(now, u, why, stream, r.form(now, u, stream)) {
			continue
		}
		usual := r.client.usual(now)
		if after, ok := r.client.options.Hedging.hedgeAfter(usual); ok && why == first {
			r.hedgeAt = now.Add(after)
		}
		r.patience = max(r.patience, patience(usual))
		r.againAt = now.Add(r.patience)
		return true
	}
	return false
}

// sendTo sends the message to an upstream.
func (r *race) sendTo(now time.Time, u *upstream, why reason, stream bool, f form) bool {
	t, stream := u.over(stream)
	fresh := why != other && r.sentOver(u, stream)
	n := r.call.sent
	r.call.sent++
	s := &r.call.sends[n] // which is clear
	s.to, s.at, s.stream, s.form, s.why = u, now, stream, f, why
	if err := t.send(r.call, n, fresh); err != nil {
		r.unsent(s, err)
		return false
	}
	switch why {
	case again:
		u.metrics.Resent.Inc()
	case hedge:
		u.metrics.Hedged.Inc()
	}
	return true
}

func (r *race) unsent(s *send, err error) {
	s.ended = true
	r.observe(s, nil, err)
	r.fails(s.at, s, err)
}

// overStream reports whether the upstream is asked over a stream next. Where the client
// came over one, a dns:// upstream is, and over UDP if it is silent there, or has no
// stream: it may be one that speaks UDP alone.
func (r *race) overStream(now time.Time, u *upstream) bool {
	switch {
	case u.udp == nil:
		return true
	case !r.q.TCP, r.streamless&u.bit != 0, u.lacks(&u.streams, now):
		return false
	}
	return r.asked(u)%2 == 0
}

// form is what the upstream is sent.
func (r *race) form(now time.Time, u *upstream, stream bool) form {
	switch {
	case r.q.EDNS.Size == 0:
		return usual
	case u.lacks(&u.edns, now):
		return bare
	case r.q.TCP && !stream:
		return wide
	}
	return usual
}

// maxStreamAsks is how often an upstream that has streams alone is asked: nothing is
// lost over one, but the connection may be, without a word.
const maxStreamAsks = 4

// next is the upstream to be asked next: of those that haven't failed, the one
// that was asked least, in turn. One that is ejected comes after the others have
// been asked twice.
func (r *race) next(now time.Time, why reason) *upstream {
	const ejectedRank = 3
	var best *upstream
	least := 2 * maxSends
	for i := range r.client.upstreams {
		u := r.client.upstreams[(r.start+i)%len(r.client.upstreams)]
		asked := r.asked(u)
		if r.hasFailed(u) || u.health.down.Load() || asked > 0 && !r.again(now, u, why, asked) {
			continue
		}
		rank := 2 * asked
		if u.ejected(now) {
			rank += ejectedRank
		}
		if rank < least {
			best, least = u, rank
		}
	}
	if best == nil {
		return r.lastHope()
	}
	return best
}

// again reports whether an upstream that was asked may be asked again: over a stream, not
// at once, and not without end.
func (r *race) again(now time.Time, u *upstream, why reason, asked int) bool {
	if _, stream := u.over(r.q.TCP); !stream {
		return true
	}
	return why != hedge && (u.udp != nil || asked < maxStreamAsks) &&
		!r.sentAs(u, func(s *send) bool { return s.stream && !s.ended && now.Sub(s.at) < streamHeld })
}

// lastHope is an upstream that is down, and may be back, nil when there is none. The
// member has answered since it was found down, or one that was up has failed just
// now: in a rolling restart, because this one is back. It may be known to be back only just
// now.
func (r *race) lastHope() *upstream {
	since := r.client.answered()
	if r.call.sent > 0 {
		since = max(since, int64(r.call.sends[0].at.Sub(r.client.made)))
	}
	for _, u := range r.client.upstreams {
		if !r.hasFailed(u) && u.maybeBack(since) && r.asked(u) == 0 {
			return u
		}
	}
	return nil
}

// hopes tells whether those that may still answer are all down: they are given one
// patience, as a member that is gone is to fail soon.
func (r *race) hopes() bool {
	for i := range r.call.sends[:r.call.sent] {
		if s := &r.call.sends[i]; !s.ended && !s.to.health.down.Load() {
			return false
		}
	}
	return true
}

// asked is how often the upstream was sent the query.
func (r *race) asked(u *upstream) int {
	n := 0
	for i := range r.call.sends[:r.call.sent] {
		if r.call.sends[i].to == u {
			n++
		}
	}
	return n
}

// waits tells whether a reply may still come, from an upstream that hasn't failed.
func (r *race) waits() bool {
	for i := range r.call.sends[:r.call.sent] {
		if s := &r.call.sends[i]; !s.ended && !r.hasFailed(s.to) {
			return true
		}
	}
	return false
}

func (r *race) hasFailed(u *upstream) bool { return r.failed&u.bit != 0 }
