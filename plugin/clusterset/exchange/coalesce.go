package exchange

import (
	"context"
	"errors"
	"hash/maphash"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/coalesce"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
)

// flights are the queries in flight, so that equal ones are asked once. Equal are those
// of the same message and kind of client, whatever the id and the case of the name.
type flights struct {
	seed    maphash.Seed
	mu      sync.Mutex
	flights map[uint64]*flight // by the message's sum
}

func newFlights() flights {
	return flights{seed: maphash.MakeSeed(), flights: make(map[uint64]*flight)}
}

// flight is a query in flight.
type flight struct {
	// query is the leader's, while it is in flight.
	query  *wire.Query
	tcp    bool
	joined bool
	call   coalesce.Call[landed]
}

// landed is what a flight brought, shared by those who waited: theirs to copy.
type landed struct {
	reply *dns.Msg
	from  *upstream
	err   error
}

var flightPool = sync.Pool{New: func() any { return new(flight) }}

// join returns the flight of equal queries, and whether the caller leads it, as there was
// none. It is nil where the caller's has another query's sum, and can't be joined.
func (f *flights) join(sum uint64, q *wire.Query, tcp bool) (one *flight, leads bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one = f.flights[sum]
	switch {
	case one == nil:
		one = flightPool.Get().(*flight)
		one.query, one.tcp = q, tcp
		f.flights[sum] = one
		return one, true
	case one.tcp != tcp || !one.query.Equal(q):
		return nil, true
	}
	one.joined = true
	return one, false
}

// land ends a flight, with what its leader has got.
func (f *flights) land(sum uint64, one *flight, reply *dns.Msg, from *upstream, err error) {
	f.mu.Lock()
	delete(f.flights, sum)
	one.query = nil
	joined := one.joined
	f.mu.Unlock()
	if !joined {
		flightPool.Put(one)
		return
	}
	if reply != nil {
		reply = reply.Copy() // the leader changes its own
	}
	one.call.Finish(landed{reply, from, err})
}

// share asks for q, or waits for an equal query in flight.
func (c *Client) share(ctx context.Context, q *Query, w *wire.Query) (*dns.Msg, *upstream, error) {
	if time.Until(q.Deadline) < c.options.Timeout/2 { // part of a question that took the most of it: others have more
		return c.race(ctx, q, w)
	}
	sum := w.Sum(c.flights.seed)
	for {
		one, leads := c.flights.join(sum, w, q.TCP)
		switch {
		case one == nil:
			return c.race(ctx, q, w)
		case leads:
			return c.lead(ctx, q, w, sum, one)
		}
		reply, from, err := c.wait(ctx, q, one)
		if !isCanceled(err) || ctx.Err() != nil || c.ctx.Err() != nil {
			return reply, from, err
		}
		// The leader's client has gone; this one has not.
	}
}

// wait waits for a flight's end.
//
//go:noinline
func (c *Client) wait(ctx context.Context, q *Query, one *flight) (*dns.Msg, *upstream, error) {
	c.options.Metrics.Coalesced.Inc()
	of, err := one.call.Wait(ctx, q.Deadline)
	switch {
	case err != nil:
		err = transport.Plain(err)
		return nil, nil, &Error{Member: c.member.Name, Reason: reasonOf(err), Err: err}
	case of.err != nil:
		return nil, nil, of.err
	}
	return of.reply.Copy(), of.from, nil
}

// lead asks for q, and lands its flight however that ends.
func (c *Client) lead(ctx context.Context, q *Query, w *wire.Query, sum uint64, one *flight) (reply *dns.Msg, from *upstream, err error) {
	err = transport.ErrClosed // should it panic
	defer func() { c.flights.land(sum, one, reply, from, err) }()
	reply, from, err = c.race(ctx, q, w)
	return reply, from, err
}

func isCanceled(err error) bool {
	failure, ok := errors.AsType[*Error](err)
	return ok && failure.Reason == Canceled
}
