package answercache

import (
	"context"
	"time"

	"github.com/miekg/dns"
)

// Patience is how long a query waits for the member when there is a stale answer.
// RFC 8767, section 5, leaves it to us, with 1.8 seconds as an example: a client
// inside a cluster sends its query again before that.
const Patience = 200 * time.Millisecond

// Flight is a member being asked for a name, on behalf of all who ask for it
// meanwhile.
type Flight struct {
	start time.Time
	done  chan struct{}
	// What follows is set before done is closed, and doesn't change any more.
	reply *dns.Msg
	shape shape
	err   error
}

// Refresh asks the member with ask, beside the caller, unless it is being asked
// already for that answer, and keeps what it says in the answer's place. The
// context ends with Close; how long ask takes is its own matter. It gives nil when
// the member's cache is closed.
func (m *Member) Refresh(k Key, a *Answer, ask func(context.Context) (*dns.Msg, error)) *Flight {
	f := &Flight{start: time.Now(), done: make(chan struct{})}
	for !a.flight.CompareAndSwap(nil, f) {
		if under := a.flight.Load(); under != nil {
			return under
		}
	}
	if !m.beside(func() { m.fly(f, k, a, ask) }) {
		f.err = context.Canceled
		a.flight.Store(nil)
		close(f.done)
		return nil
	}
	return f
}

func (m *Member) fly(f *Flight, k Key, a *Answer, ask func(context.Context) (*dns.Msg, error)) {
	defer close(f.done)
	f.reply, f.err = ask(m.ctx)
	if f.err != nil {
		a.flight.Store(nil) // the next one tries again
		return
	}
	f.shape = shapeOf(f.reply)
	m.Put(k, a.Asked, f.reply, time.Now())
	if m.peek(k) == a {
		a.flight.Store(nil) // nothing to keep, as of a truncated reply
	}
}

// beside runs f beside the queries, if the member isn't closed; Close waits for it.
func (m *Member) beside(f func()) bool {
	m.flying.Lock()
	defer m.flying.Unlock()
	if m.ctx.Err() != nil {
		return false
	}
	m.flights.Go(f)
	return true
}

// peek is Get without a trace.
func (m *Member) peek(k Key) *Answer {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if e := m.find(k); e != nil {
		return e.answer.Load()
	}
	return nil
}

// Wait waits for the member until the flight has taken Patience, or until end, if
// that is earlier. It is false when there is no word of it yet.
func (f *Flight) Wait(end time.Time) bool {
	if late := f.start.Add(Patience); late.Before(end) {
		end = late
	}
	select {
	case <-f.done:
		return true
	default:
	}
	timer := time.NewTimer(time.Until(end))
	defer timer.Stop()
	select {
	case <-f.done:
		return true
	case <-timer.C:
		return false
	}
}

// Reply is what the member said, the caller's own, or why it said nothing; after
// Wait was true.
func (f *Flight) Reply() (*dns.Msg, error) {
	if f.err != nil {
		return nil, f.err
	}
	return f.shape.copyOf(f.reply, 0, unlimited), nil
}

// Close drops the member and ends its flights; when it returns, they are over.
func (m *Member) Close() {
	m.Drop()
	m.flying.Lock()
	m.cancel()
	m.flying.Unlock()
	m.flights.Wait()
}
