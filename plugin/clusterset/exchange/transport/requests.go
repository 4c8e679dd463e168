package exchange

import (
	"bytes"
	"context"
	"net"
	"sync"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// requestTransport asks one upstream over HTTPS or QUIC: each query is a request of its
// own, in a goroutine of its own, on a session that they share.
type requestTransport struct {
	open    func() session
	timeout time.Duration // of a request that nobody waits for any more

	mu      sync.Mutex
	current *shared // nil before the first query
	// sessions are those that there are, with the replaced ones that are still used.
	sessions int
	closed   bool
	pending  map[*waiting]struct{} // one for each query in flight
	ctx      context.Context       //nolint:containedctx // of the requests; close ends it
	cancel   context.CancelFunc
	running  sync.WaitGroup
}

// maxSessions bounds the sessions with an upstream that is silent on each, as every one
// may have streamConnsMax connections.
const maxSessions = 4

// session keeps what requests need of each other, a connection. Its methods may be called
// at the same time.
type session interface {
	// ask sends a query and gives its reply, which may be anything, and where it left from.
	ask(ctx context.Context, query []byte) (reply *[]byte, local net.Addr, err error)
	// usable reports whether it may be asked again.
	usable() bool
	// close ends the connection, once nobody asks any more.
	close()
}

// shared is a session, and how many use it. The last one closes it when it has been
// replaced.
type shared struct {
	session
	born     time.Time
	users    int
	replaced bool
	// idle replaces it when nobody has asked for streamIdle: the upstream may keep its
	// connection alive.
	idle *time.Timer
}

func newRequestTransport(address model.Upstream, config *TLSConfig, timeout time.Duration) *requestTransport {
	t := &requestTransport{timeout: timeout, pending: make(map[*waiting]struct{})}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	t.open = func() session { return newHTTPSSession(address, config) }
	if address.Scheme == model.QUIC {
		t.open = func() session { return newQUICSession(address, config) }
	}
	return t
}

// send implements transport. The message's id is 0: RFC 8484, section 4.1, and RFC 9250,
// section 4.2.1.
func (t *requestTransport) send(c *call, n int, fresh bool) error {
	query := bytes.Clone(c.message(n))
	query[0], query[1] = 0, 0
	one := newWaiting(false, nil)
	id, err := one.add(c, n)
	if err != nil {
		return err
	}
	var since time.Time
	if fresh {
		since = c.sends[0].at
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return errClosed
	}
	s := t.take(since)
	t.pending[&one] = struct{}{}
	c.sends[n].conn, c.sends[n].id = &one, id
	t.running.Go(func() { t.request(s, &one, id, query) })
	return nil
}

// request asks, and settles what one waits for.
func (t *requestTransport) request(s *shared, one *waiting, id uint16, query []byte) {
	ctx, cancel := context.WithTimeout(t.ctx, t.timeout)
	defer cancel()
	reply, local, err := s.ask(ctx, query)
	if again := t.release(s, err); again != nil {
		reply, local, err = again.ask(ctx, query)
		t.release(again, nil)
	}
	one.answer(id, reply, local, err)
	t.mu.Lock()
	delete(t.pending, one)
	t.mu.Unlock()
}

// take gives the session, or a new one in its place where it isn't younger than since and
// there may be one more; t.mu is held.
func (t *requestTransport) take(since time.Time) *shared {
	if s := t.current; s != nil && s.born.Before(since) && t.sessions < maxSessions {
		t.replace(s)
	}
	if t.current == nil {
		s := &shared{session: t.open(), born: time.Now()}
		s.idle = time.AfterFunc(streamIdle, func() { t.expire(s) })
		t.current = s
		t.sessions++
	}
	t.current.users++
	t.current.idle.Stop()
	return t.current
}

// replace has the next query open a session; t.mu is held.
func (t *requestTransport) replace(s *shared) {
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

// release gives a session back, after an error or none. One that the upstream has closed
// says nothing but that it may have been started again, and one that we have closed for
// what it brought nothing about this query: then that is asked once more, on another one,
// which is given.
func (t *requestTransport) release(s *shared, err error) (again *shared) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.users--
	if isClosed := isCutShort(err); (isClosed || !s.usable()) || s.replaced {
		t.replace(s)
		if isClosed && !t.closed {
			again = t.take(time.Time{})
		}
	} else if s.users == 0 {
		s.idle.Reset(streamIdle)
	}
	return again
}

// expire replaces a session that is idle.
func (t *requestTransport) expire(s *shared) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.users == 0 && !s.replaced { // not asked just now
		t.replace(s)
	}
}

// fail implements transport.
func (t *requestTransport) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for one := range t.pending {
		one.close(err)
	}
}

// close implements transport.
func (t *requestTransport) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.fail(errClosed)
	t.cancel()
	t.running.Wait()
	t.mu.Lock() // expire may be about to
	defer t.mu.Unlock()
	if t.current != nil {
		t.replace(t.current)
	}
}

// answer ends a call, if it still waits, with a reply to its very question.
func (w *waiting) answer(id uint16, reply *[]byte, local net.Addr, err error) {
	w.mu.Lock()
	p, known := w.calls[id]
	delete(w.calls, id)
	w.mu.Unlock()
	if !known {
		return
	}
	o := outcome{send: p.send, reply: reply, local: local}
	switch {
	case err != nil:
		o.reply, o.err = nil, plain(err)
	case len(*reply) < headerLen, !p.call.wire.answeredBy(*reply, false):
		o.reply, o.err = nil, errMalformed
	}
	p.call.done <- o
}
