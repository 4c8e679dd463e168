package exchange

import (
	"context"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
)

// race is one query's way to an answer: the attempts at it, and when the next one is due.
// The first good reply wins.
type race struct {
	client     *Client
	q          Query // a copy: a pointer here would put the caller's on the heap
	attempts   *attempts
	candidates candidates
	// now is when the outcome came that is dealt with.
	now time.Time
	// unanswered is the error of upstreams that haven't answered.
	unanswered error
	// spent is set when an upstream has reported so, which ends the query.
	spent  bool
	timers timers
	// winner is the attempt whose reply is returned.
	winner *attempt
	kept   kept
}

// timers are when the next message is sent, zero for never.
type timers struct {
	hedge, retransmit time.Time
	// rto is the retransmission timeout.
	rto time.Duration
}

// kept is a reply to return where no better one comes by until.
type kept struct {
	reply *dns.Msg
	from  *upstream
	until time.Time
}

// races are reused. In a frame they would be most of a goroutine's first stack.
var races = sync.Pool{New: func() any { return new(pooledRace) }}

type pooledRace struct {
	attempts attempts
	race     race
}

// newRace returns a race for q, until its end.
//
//go:noinline
func newRace(c *Client, q *Query, w *wire.Query) *pooledRace {
	p := races.Get().(*pooledRace)
	p.attempts.call.Begin(w)
	r := &p.race // which is clear
	r.q = *q
	r.client, r.attempts, r.unanswered = c, &p.attempts, transport.ErrNoReply
	of := &r.candidates
	of.client, of.tried, of.tcp, of.start = c, &p.attempts, q.TCP, int(c.turn.Add(1))
	c.hedges.earn()
	c.retransmits.earn()
	return p
}

// end gives the race back, whatever is in flight.
//
//go:noinline
func (p *pooledRace) end() {
	clear(p.attempts.all())
	p.attempts.call.End()
	p.race = race{}
	races.Put(p)
}

// race asks until one upstream has answered, all have failed, or the time is over.
func (c *Client) race(ctx context.Context, q *Query, w *wire.Query) (*dns.Msg, *upstream, error) {
	p := newRace(c, q, w)
	reply, from := p.race.run(ctx)
	err := p.race.end(reply)
	p.end()
	return reply, from, err
}

// run returns the reply, nil without one; then end has the error.
func (r *race) run(ctx context.Context) (*dns.Msg, *upstream) {
	r.now = time.Now()
	if r.q.Deadline.Sub(r.now) <= 0 || !r.send(first) {
		return nil, nil
	}
	for {
		o, err := r.attempts.call.Wait(ctx, r.timers.due(r.q.Deadline, r.kept.until).Sub(r.now))
		if err != nil {
			r.unanswered = err
			return nil, nil
		}
		r.now = time.Now()
		if o.Message == nil {
			if !r.onTime() {
				return r.best()
			}
			continue
		}
		if reply, from := r.judge(&o); reply != nil || r.spent {
			return reply, from
		}
		if !r.candidates.mayReply() && !r.askElse() {
			return r.best()
		}
	}
}

// due returns when something is to be done next, by the deadline at the latest.
func (t *timers) due(deadline, keptUntil time.Time) time.Time {
	return sooner(sooner(sooner(deadline, t.hedge), t.retransmit), keptUntil)
}

// sooner returns the earlier of two times, of which maybe is never when it is zero.
func sooner(at, maybe time.Time) time.Time {
	if !maybe.IsZero() && maybe.Before(at) {
		return maybe
	}
	return at
}

func isDue(now, at time.Time) bool { return !at.IsZero() && !now.Before(at) }

// best returns the reply that was kept, as no better one came. A truncated one without an
// answer is of no use to a client that is on a stream already.
func (r *race) best() (*dns.Msg, *upstream) {
	if r.q.TCP && r.kept.reply != nil && r.kept.reply.Truncated && isNegative(r.kept.reply) {
		r.candidates.note(r.kept.from, errTruncated)
		return nil, nil
	}
	return r.kept.reply, r.kept.from
}

// end ends the query, and returns the error where there is no reply. The upstreams that
// another one had to answer for have missed it.
func (r *race) end(reply *dns.Msg) error {
	if reply != nil && r.attempts.call.Len() == 1 {
		return nil
	}
	r.settle(reply != nil || r.spent)
	switch {
	case r.spent:
		return &Error{Member: r.client.member.Name, Reason: Spent}
	case reply != nil:
		if reply == r.kept.reply && reply.Truncated { // asking for the whole brought nothing
			r.candidates.learnStreams(r.kept.from)
		}
		r.attempts.miss(r.winner)
		return nil
	case r.candidates.failure != nil:
		return r.candidates.failure
	case time.Until(r.q.Deadline) <= 0: // no time was left to begin with
		return &Error{Member: r.client.member.Name, Reason: NoReply, Err: transport.ErrNoReply}
	}
	return r.client.allDown()
}

// settle ends the attempts that are in flight: as failed, unless the query is answered.
func (r *race) settle(answered bool) {
	for i := range r.attempts.all() {
		a := &r.attempts.list[i]
		switch {
		case !a.InFlight():
		case answered:
			r.q.observe(a, nil, nil)
		default:
			r.q.observe(a, nil, r.unanswered)
			if !r.candidates.hasFailed(a.to) {
				r.candidates.fail(a.to, r.unanswered)
			}
		}
	}
}
