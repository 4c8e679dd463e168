package transport

import (
	"crypto/tls"
	"sync"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

const (
	// streamConns are the connections that share the queries to an upstream. Many
	// servers, CoreDNS among them, answer those of one connection one after the
	// other, so that a slow answer delays those behind it.
	streamConns = 8
	// streamConnsMax is with those that are stalled, which don't count.
	streamConnsMax = 2 * streamConns
	// streamShare is how many queries each connection has in flight before another
	// is opened.
	streamShare = 1
)

// streams asks one upstream over TCP or TLS: many queries in flight on a few connections,
// answered in any order (RFC 7766, sections 6.2.1.1 and 7).
type streams struct {
	address model.Upstream
	tls     *tls.Config // nil for TCP
	dropped func(Drop)

	mu      sync.Mutex
	conns   []*streamConn
	keeping bool // the keeper runs
	closed  bool
	end     chan struct{} // closed with it
	running sync.WaitGroup
}

func newStreams(address model.Upstream, config *tls.Config, dropped func(Drop)) *streams {
	return &streams{address: address, tls: config, dropped: dropped, end: make(chan struct{})}
}

// Send implements Transport. The connection may be closed before the message is on
// its list; then another is used.
func (t *streams) Send(m *Message) error {
	since := m.since()
	t.mu.Lock() // until it counts among those in flight
	defer t.mu.Unlock()
	for !t.closed {
		if t.conn(m.At, since).send(m) {
			return nil
		}
	}
	return ErrClosed
}

// conn returns the connection with the fewest queries in flight of those opened since then,
// or a new one when each has its share; t.mu is held. One that is stalled is used only
// when there are no others and can't be more.
func (t *streams) conn(now, since time.Time) *streamConn {
	best, has, working := t.leastLoaded(now, since)
	full := len(t.conns) >= streamConnsMax
	switch {
	case best == nil && full && !since.IsZero():
		return t.conn(now, time.Time{})
	case best == nil, has.stalled && !full, has.inFlight >= streamShare && working < streamConns && !full:
		return t.open()
	}
	return best
}

// leastLoaded returns the connection with the least load, and how many aren't stalled, of
// those looked at: the first idle one ends the search.
func (t *streams) leastLoaded(now, since time.Time) (best *streamConn, has load, working int) {
	for _, s := range t.conns {
		l := s.load(now, since)
		if !l.open {
			continue
		}
		if !l.stalled {
			working++
		}
		if best == nil || l.less(has) {
			best, has = s, l
		}
		if !has.stalled && has.inFlight == 0 {
			break
		}
	}
	return best, has, working
}

// open adds a connection, which dials by itself; t.mu is held.
func (t *streams) open() *streamConn {
	s, run := newStreamConn(t)
	t.conns = append(t.conns, s)
	t.running.Go(func() {
		run()
		t.forget(s)
	})
	if !t.keeping {
		t.keeping = true
		t.running.Go(t.keep)
	}
	return s
}

func (t *streams) forget(s *streamConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, other := range t.conns {
		if other == s {
			t.conns = append(t.conns[:i:i], t.conns[i+1:]...) // a copy: others read the old one
			return
		}
	}
}

// all returns the connections there are; nobody changes the list.
func (t *streams) all() []*streamConn {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conns[:len(t.conns):len(t.conns)]
}

// Fail implements Transport.
func (t *streams) Fail(err error) {
	for _, s := range t.all() {
		s.end(err)
	}
}

// InFlight implements Transport.
func (t *streams) InFlight() (n int) {
	for _, s := range t.all() {
		n += s.len()
	}
	return n
}

// Close implements Transport.
func (t *streams) Close() {
	t.mu.Lock()
	if !t.closed {
		t.closed = true
		close(t.end)
	}
	t.mu.Unlock()
	t.Fail(ErrClosed)
	t.running.Wait()
}
