package answercache

import (
	"context"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/coalesce"
)

// ClientTimeout is how long a query waits for the member when there is a stale answer: the client
// response timeout of RFC 8767, section 5, which has 1.8 seconds as an example. A client
// inside a cluster retransmits before that.
const ClientTimeout = 200 * time.Millisecond

// Flight is a refresh: the member is asked for a name, once for all who ask for it
// meanwhile.
type Flight struct {
	start time.Time
	call  coalesce.Call[refreshed]
}

// refreshed is what the member replied, which is copied for each, or why it didn't.
type refreshed struct {
	reply *dns.Msg
	shape shape
	err   error
}

// Refresh asks the member with ask, beside the caller, unless that answer is being refreshed
// already, and keeps the reply in the answer's place. The context ends with Close; how long
// ask takes is its own matter. It returns nil when the member's cache is closed.
func (m *Member) Refresh(k Key, a *Answer, ask func(context.Context) (*dns.Msg, error)) *Flight {
	f := &Flight{start: time.Now()}
	for !a.flight.CompareAndSwap(nil, f) {
		if other := a.flight.Load(); other != nil {
			return other
		}
	}
	if !m.spawn(func() { f.call.Finish(m.refresh(k, a, ask)) }) {
		a.flight.Store(nil)
		f.call.Finish(refreshed{err: context.Canceled})
		return nil
	}
	return f
}

// refresh asks the member, and keeps what it replies. The answer's flight stays with it,
// for queries that still have that answer; a reply that replaces nothing is no reason not
// to ask again.
func (m *Member) refresh(k Key, a *Answer, ask func(context.Context) (*dns.Msg, error)) refreshed {
	reply, err := ask(m.ctx)
	if err != nil {
		a.flight.Store(nil)
		return refreshed{err: err}
	}
	m.Put(k, a.Asked, reply, time.Now())
	if m.peek(k) == a { // as after a truncated reply
		a.flight.Store(nil)
	}
	return refreshed{reply: reply, shape: shapeOf(reply)}
}

// spawn runs f beside the queries, if the member isn't closed, and reports whether it does;
// Close waits for it.
func (m *Member) spawn(f func()) bool {
	m.spawning.Lock()
	defer m.spawning.Unlock()
	if m.ctx.Err() != nil {
		return false
	}
	m.tasks.Go(f)
	return true
}

// Wait reports whether the flight is over: within ClientTimeout of its start, and before end.
func (f *Flight) Wait(end time.Time) bool {
	if late := f.start.Add(ClientTimeout); late.Before(end) {
		end = late
	}
	_, err := f.call.Wait(context.Background(), end)
	return err == nil
}

// Reply returns what the member replied, the caller's own, or why it didn't; when Wait is
// true.
func (f *Flight) Reply() (*dns.Msg, error) {
	r, _ := f.call.Wait(context.Background(), f.start)
	if r.err != nil {
		return nil, r.err
	}
	return r.shape.copyOf(r.reply, 0, unlimited), nil
}

// Close drops the member and ends its flights; when it returns, they are over.
func (m *Member) Close() {
	m.Drop()
	m.spawning.Lock()
	m.cancel()
	m.spawning.Unlock()
	m.tasks.Wait()
}
