package exchange

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// sameness is a query without what is only its client's: equal ones get equal
// replies.
type sameness struct {
	name       string // in lower case
	qtype      uint16
	rd, ad, cd bool
	tcp        bool
	edns       EDNS
}

func samenessOf(q *Query) sameness {
	return sameness{
		name: strings.ToLower(q.Name), qtype: q.Type,
		rd: q.RecursionDesired, ad: q.AuthenticatedData, cd: q.CheckingDisabled,
		tcp: q.TCP, edns: q.EDNS,
	}
}

// flights are the queries under way, so that equal ones are asked once.
type flights struct {
	mu      sync.Mutex
	flights map[sameness]*flight
}

// flight is a query under way, and its end.
type flight struct {
	// landed is closed at the end, nil while nobody waits for it.
	landed chan struct{}
	reply  *dns.Msg // shared by those who waited: theirs to copy
	from   *upstream
	err    error
}

var flightPool = sync.Pool{New: func() any { return new(flight) }}

// board gives the flight of equal queries; it is led by the caller where there was
// none.
func (f *flights) board(key sameness) (one *flight, leads bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one = f.flights[key]
	if one == nil {
		one = flightPool.Get().(*flight)
		f.flights[key] = one
		return one, true
	}
	if one.landed == nil {
		one.landed = make(chan struct{})
	}
	return one, false
}

// land ends a flight, with what its leader has got.
func (f *flights) land(key sameness, one *flight, reply *dns.Msg, from *upstream, err error) {
	f.mu.Lock()
	delete(f.flights, key)
	landed := one.landed
	f.mu.Unlock()
	if landed == nil {
		flightPool.Put(one)
		return
	}
	if reply != nil {
		one.reply = reply.Copy() // the leader changes its own
	}
	one.from, one.err = from, err
	close(landed)
}

// share asks for q, or waits for an equal query under way.
func (c *Client) share(ctx context.Context, q *Query, w *wire) (*dns.Msg, *upstream, error) {
	key := samenessOf(q)
	for {
		one, leads := c.flights.board(key)
		if leads {
			return c.lead(ctx, q, w, key, one)
		}
		c.options.Metrics.Coalesced.Inc()
		if err := one.wait(ctx, q.Deadline); err != nil {
			return nil, nil, &Error{Member: c.member.Name, Reason: reasonOf(err), Err: err}
		}
		switch {
		case one.err == nil:
			return one.reply.Copy(), one.from, nil
		case !isCanceled(one.err) || ctx.Err() != nil || c.ctx.Err() != nil:
			return nil, nil, one.err
		}
		// The leader's client has gone; this one has not.
	}
}

// lead asks for q, and lands its flight however that ends.
func (c *Client) lead(ctx context.Context, q *Query, w *wire, key sameness, one *flight) (reply *dns.Msg, from *upstream, err error) {
	err = errClosed // should it panic
	defer func() { c.flights.land(key, one, reply, from, err) }()
	reply, from, err = c.race(ctx, q, w)
	return reply, from, err
}

func isCanceled(err error) bool {
	failure, ok := errors.AsType[*Error](err)
	return ok && failure.Reason == Canceled
}

// wait waits for the end.
func (f *flight) wait(ctx context.Context, deadline time.Time) error {
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-f.landed:
		return nil
	case <-ctx.Done():
		return plain(ctx.Err())
	case <-timer.C:
		return errNoReply
	}
}
