package exchange

import (
	"crypto/tls"
	"sync"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

const (
	// streamConns are the connections that share the queries to an upstream. Many
	// servers, CoreDNS among them, answer those of one connection one after the
	// other, so that a slow answer holds up what is behind it.
	streamConns = 8
	// streamConnsMax is with those that are held up, which count for none.
	streamConnsMax = 2 * streamConns
	// streamShare is how many queries each connection has in flight before another
	// is opened.
	streamShare = 1
)

// streamTransport asks one upstream over TCP or TLS: many queries in flight on a
// few connections, answered in any order (RFC 7766, sections 6.2.1.1 and 7).
type streamTransport struct {
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

func newStreamTransport(address model.Upstream, config *tls.Config, dropped func(Drop)) *streamTransport {
	return &streamTransport{address: address, tls: config, dropped: dropped, end: make(chan struct{})}
}

// send implements transport. The connection may be closed before the query is on
// its list; then there is another. A fresh one is younger than the call: what was there
// when that began may lead nowhere any more, without a word.
func (t *streamTransport) send(c *call, n int, fresh bool) error {
	var since time.Time
	if fresh {
		since = c.sends[0].at
	}
	t.mu.Lock() // until it counts among those in flight
	defer t.mu.Unlock()
	for !t.closed {
		if t.conn(c.sends[n].at, since).send(c, n) {
			return nil
		}
	}
	return errClosed
}

// conn gives the connection with the fewest queries in flight of those made since then,
// or a new one when each has its share; t.mu is held. One that is held up is used only
// when there are no others and can't be more.
func (t *streamTransport) conn(now, since time.Time) *streamConn {
	best, has, working := t.least(now, since)
	full := len(t.conns) >= streamConnsMax
	switch {
	case best == nil && full && !since.IsZero():
		return t.conn(now, time.Time{})
	case best == nil, has.held && !full, has.calls >= streamShare && working < streamConns && !full:
		return t.open()
	}
	return best
}

// least gives the connection that has least to do, and how many bring replies, of
// those looked at: none has less to do than nothing.
func (t *streamTransport) least(now, since time.Time) (best *streamConn, has load, working int) {
	for _, s := range t.conns {
		l := s.load(now, since)
		if !l.open {
			continue
		}
		if !l.held {
			working++
		}
		if best == nil || l.less(has) {
			best, has = s, l
		}
		if !has.held && has.calls == 0 {
			break
		}
	}
	return best, has, working
}

// open adds a connection, which dials by itself; t.mu is held.
func (t *streamTransport) open() *streamConn {
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

func (t *streamTransport) forget(s *streamConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, other := range t.conns {
		if other == s {
			t.conns = append(t.conns[:i:i], t.conns[i+1:]...) // a copy: others read the old one
			return
		}
	}
}

// all are the connections there are; nobody changes the list.
func (t *streamTransport) all() []*streamConn {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conns[:len(t.conns):len(t.conns)]
}

// fail implements transport.
func (t *streamTransport) fail(err error) {
	for _, s := range t.all() {
		s.end(err)
	}
}

// close implements transport.
func (t *streamTransport) close() {
	t.mu.Lock()
	if !t.closed {
		t.closed = true
		close(t.end)
	}
	t.mu.Unlock()
	t.fail(errClosed)
	t.running.Wait()
}
