package transport

import (
	"bytes"
	"context"
	"net"
	"sync"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
)

// requests asks one upstream over HTTPS or QUIC: each query is a request of its
// own, in a goroutine of its own, on a session that they share.
type requests struct {
	open    func() session
	timeout time.Duration // of a request that nobody waits for any more

	mu      sync.Mutex
	current *shared // nil before the first query
	// sessions are those that there are, with the replaced ones that are still used.
	sessions int
	closed   bool
	inFlight map[*pending]struct{} // one for each request
	ctx      context.Context       //nolint:containedctx // of the requests; Close ends it
	cancel   context.CancelFunc
	running  sync.WaitGroup
}

// maxSessions bounds the sessions with an upstream that is silent on each, as every one
// may have streamConnsMax connections.
const maxSessions = 4

// session is what requests share: a connection. Its methods may be called at the same time.
type session interface {
	// ask sends a query and returns its reply, which may be anything, and where it left from.
	ask(ctx context.Context, query []byte) (reply *[]byte, local net.Addr, err error)
	// usable reports whether it may be asked again.
	usable() bool
	// close ends the connection, when nothing is in flight.
	close()
}

// shared is a session, and how many use it. The last one closes it when it has been
// replaced.
type shared struct {
	session
	openedAt time.Time
	users    int
	replaced bool
	// idle replaces it when nobody has asked for streamIdle: the upstream may keep its
	// connection alive.
	idle *time.Timer
}

func newRequests(timeout time.Duration, open func() session) *requests {
	t := &requests{open: open, timeout: timeout, inFlight: make(map[*pending]struct{})}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

// Send implements Transport. The message's id is 0: RFC 8484, section 4.1, and RFC 9250,
// section 4.2.1.
func (t *requests) Send(m *Message) error {
	query := bytes.Clone(m.Bytes())
	query[0], query[1] = 0, 0
	since := m.since()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return ErrClosed
	}
	p := newPending(false, nil)
	_ = p.add(m) // which takes one
	id, s := m.id, t.acquire(since)
	t.inFlight[&p] = struct{}{}
	t.running.Go(func() { t.request(s, &p, id, query) })
	return nil
}

// request asks, on another session once more where the first one was cut short.
func (t *requests) request(s *shared, p *pending, id uint16, query []byte) {
	ctx, cancel := context.WithTimeout(t.ctx, t.timeout)
	defer cancel()
	reply, local, err := s.ask(ctx, query)
	if another := t.release(s, err); another != nil {
		reply, local, err = another.ask(ctx, query)
		t.release(another, nil)
	}
	p.settle(id, reply, local, err)
	t.mu.Lock()
	delete(t.inFlight, p)
	t.mu.Unlock()
}

// acquire returns the session, or a new one in its place where it was opened before since
// and there may be one more; t.mu is held.
func (t *requests) acquire(since time.Time) *shared {
	if s := t.current; s != nil && s.openedAt.Before(since) && t.sessions < maxSessions {
		t.replace(s)
	}
	if t.current == nil {
		s := &shared{session: t.open(), openedAt: time.Now()}
		s.idle = time.AfterFunc(streamIdle, func() { t.expire(s) })
		t.current = s
		t.sessions++
	}
	t.current.users++
	t.current.idle.Stop()
	return t.current
}

// replace has the next query open a session; t.mu is held.
func (t *requests) replace(s *shared) {
	if t.current == s {
		t.current = nil
	}
	s.replaced = true
	s.idle.Stop()
	if s.users == 0 {
		s.close()
		t.sessions--
	}
}

// release gives a session back, after an error or none. Where it was cut short, another one
// is returned, to ask on once more.
func (t *requests) release(s *shared, err error) (another *shared) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.users--
	if isCut := isCutShort(err); isCut || !s.usable() || s.replaced {
		t.replace(s)
		if isCut && !t.closed {
			another = t.acquire(time.Time{})
		}
	} else if s.users == 0 {
		s.idle.Reset(streamIdle)
	}
	return another
}

// expire replaces a session that is idle.
func (t *requests) expire(s *shared) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.users == 0 && !s.replaced { // not asked just now
		t.replace(s)
	}
}

// Fail implements Transport.
func (t *requests) Fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for p := range t.inFlight {
		p.close(err)
	}
}

// InFlight implements Transport.
func (t *requests) InFlight() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for p := range t.inFlight {
		n += p.len()
	}
	return n
}

// Close implements Transport.
func (t *requests) Close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.Fail(ErrClosed)
	t.cancel()
	t.running.Wait()
	t.mu.Lock() // expire may be about to
	defer t.mu.Unlock()
	if t.current != nil {
		t.replace(t.current)
	}
}

// settle ends a message, if it is still on the list, with a reply to its very question.
func (p *pending) settle(id uint16, reply *[]byte, local net.Addr, err error) {
	p.mu.Lock()
	m := p.messages[id]
	delete(p.messages, id)
	p.mu.Unlock()
	if m == nil {
		return
	}
	o := Outcome{reply: reply, local: local}
	switch {
	case err != nil:
		o.reply, o.err = nil, Plain(err)
	case len(*reply) < wire.HeaderLen, !m.call.query.AnsweredBy(*reply, false):
		o.reply, o.err = nil, wire.ErrMalformed
	}
	m.send(o)
}
