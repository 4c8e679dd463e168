package exchange

import (
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// flights are the queries under way, so that equal ones are asked once. Equal are
// those whose message is, but for the id and the case of the name: RFC 4343.
type flights struct {
	seed    maphash.Seed
	mu      sync.Mutex
	flights map[uint64]*flight
}

func newFlights() flights {
	return flights{seed: maphash.MakeSeed(), flights: make(map[uint64]*flight)}
}

// flight is a query under way, and its end.
type flight struct {
	// wire is the leader's, while it is under way.
	wire *wire
	tcp  bool
	// landed is closed at the end, nil while nobody waits for it.
	landed chan struct{}
	reply  *dns.Msg // shared by those who waited: theirs to copy
	from   *upstream
	err    error
}

var flightPool = sync.Pool{New: func() any { return new(flight) }}

// sum tells queries apart, most of the time.
func (f *flights) sum(w *wire) uint64 {
	msg := w.msg[flagsOffset:]
	name := w.question[:len(w.question)-4]
	if slices.ContainsFunc(name, isUpper) {
		msg = bytes.Clone(msg)
		for i, b := range name {
			msg[headerLen-flagsOffset+i] = fold(b)
		}
	}
	return maphash.Bytes(f.seed, msg)
}

func isUpper(b byte) bool { return 'A' <= b && b <= 'Z' }

// equal tells whether it is of the same query; the flights are locked.
func (f *flight) equal(w *wire, tcp bool) bool {
	a, b := f.wire.msg[flagsOffset:headerLen], w.msg[flagsOffset:headerLen]
	end := headerLen + len(w.question)
	return f.tcp == tcp && bytes.Equal(a, b) && len(f.wire.question) == len(w.question) &&
		w.sameQuestion(f.wire.question) && bytes.Equal(f.wire.msg[end:], w.msg[end:])
}

// board gives the flight of equal queries; it is led by the caller where there was
// none. It is nil where one is led that nobody can join.
func (f *flights) board(sum uint64, w *wire, tcp bool) (one *flight, leads bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one = f.flights[sum]
	switch {
	case one == nil:
		one = flightPool.Get().(*flight)
		one.wire, one.tcp = w, tcp
		f.flights[sum] = one
		return one, true
	case !one.equal(w, tcp):
		return nil, true
	case one.landed == nil:
		one.landed = make(chan struct{})
	}
	return one, false
}

// land ends a flight, with what its leader has got.
func (f *flights) land(sum uint64, one *flight, reply *dns.Msg, from *upstream, err error) {
	f.mu.Lock()
	delete(f.flights, sum)
	landed := one.landed
	one.wire = nil
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
	if time.Until(q.Deadline) < c.options.Timeout/2 { // part of a question that took the most of it: others have more
		return c.race(ctx, q, w)
	}
	sum := c.flights.sum(w)
	for {
		one, leads := c.flights.board(sum, w, q.TCP)
		switch {
		case one == nil:
			return c.race(ctx, q, w)
		case leads:
			return c.lead(ctx, q, w, sum, one)
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
func (c *Client) lead(ctx context.Context, q *Query, w *wire, sum uint64, one *flight) (reply *dns.Msg, from *upstream, err error) {
	err = errClosed // should it panic
	defer func() { c.flights.land(sum, one, reply, from, err) }()
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
