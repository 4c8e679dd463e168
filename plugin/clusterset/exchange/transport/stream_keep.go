package exchange

import (
	"errors"
	"time"
)

const (
	// streamIdle closes a connection that nothing is asked on, before the upstream
	// does (CoreDNS after 10 s), so that a query seldom meets one that is closing;
	// an idle member costs no socket and no goroutine.
	streamIdle = 8 * time.Second
	// streamHung closes one that queries waited on and that has been silent since,
	// though they are over: it may lead to a machine that is gone.
	streamHung = 5 * time.Second
	// streamLook is how often they are looked at.
	streamLook = time.Second
	// streamHeld is how long a connection may be silent before another is used in
	// its place.
	streamHeld = 250 * time.Millisecond
)

var (
	errIdle = errors.New("idle")
	errHung = errors.New("no reply on this connection")
)

// keep is the keeper: it closes the connections that nobody needs, until there are
// none.
func (t *streamTransport) keep() {
	ticker := time.NewTicker(streamLook)
	defer ticker.Stop()
	for {
		select {
		case <-t.end:
			return
		case now := <-ticker.C:
			t.sweep(now)
			if !t.keeps() {
				return
			}
		}
	}
}

// keeps tells whether there is something to keep. If not, the next connection
// brings its own keeper.
func (t *streamTransport) keeps() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keeping = len(t.conns) > 0
	return t.keeping
}

// sweep closes the connections that have been idle or silent for long, now.
func (t *streamTransport) sweep(now time.Time) {
	for _, s := range t.all() {
		if err := s.useless(now); err != nil {
			s.end(err)
		}
	}
}

// useless is why a connection isn't to be kept, nil when it is. Then it takes no more
// queries.
func (s *streamConn) useless(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.silentSince.IsZero() && now.Sub(s.silentSince) >= streamHung:
		s.refuse(errHung)
	case s.used || len(s.calls) > 0:
		s.used = false
		s.usedAt = now
	case now.Sub(s.usedAt) >= streamIdle:
		s.refuse(errIdle)
	}
	return s.err
}

// load is what a connection has to do.
type load struct {
	calls int
	// held is that nothing came for a moment of what was asked for.
	held bool
	// open is that it takes queries, and isn't too old for them.
	open bool
}

func (l load) less(other load) bool {
	if l.held != other.held {
		return other.held
	}
	return l.calls < other.calls
}

// load tells what the connection has to do now, for who wants one made since then.
func (s *streamConn) load(now, since time.Time) load {
	s.mu.Lock()
	defer s.mu.Unlock()
	silent := !s.silentSince.IsZero() && now.Sub(s.silentSince) > streamHeld
	return load{calls: len(s.calls), held: silent, open: s.err == nil && !s.born.Before(since)}
}
