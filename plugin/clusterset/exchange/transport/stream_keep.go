package transport

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
	// streamLook is how often they are checked.
	streamLook = time.Second
	// StreamStall is how long a connection may be silent before another is used in
	// its place.
	StreamStall = 250 * time.Millisecond
)

var (
	errIdle = errors.New("idle")
	errHung = errors.New("no reply on this connection")
)

// keep is the keeper: it closes the connections that nobody needs, until there are
// none.
func (t *streams) keep() {
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

// keeps reports whether there is a connection. If not, the next one brings its own keeper.
func (t *streams) keeps() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keeping = len(t.conns) > 0
	return t.keeping
}

// sweep closes the connections that have been idle or silent for long, now.
func (t *streams) sweep(now time.Time) {
	for _, s := range t.all() {
		if err := s.useless(now); err != nil {
			s.end(err)
		}
	}
}

// useless returns why a connection isn't to be kept, nil when it is. Then it takes no more
// messages.
func (s *streamConn) useless(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.silentSince.IsZero() && now.Sub(s.silentSince) >= streamHung:
		s.refuse(errHung)
	case s.used || len(s.messages) > 0:
		s.used = false
		s.usedAt = now
	case now.Sub(s.usedAt) >= streamIdle:
		s.refuse(errIdle)
	}
	return s.err
}

// load is what a connection has to do.
type load struct {
	inFlight int
	// stalled is that nothing came for StreamStall of what is in flight.
	stalled bool
	// open is that it takes messages, and isn't too old for them.
	open bool
}

func (l load) less(other load) bool {
	if l.stalled != other.stalled {
		return other.stalled
	}
	return l.inFlight < other.inFlight
}

// load returns the connection's load now, for who wants one opened since then.
func (s *streamConn) load(now, since time.Time) load {
	s.mu.Lock()
	defer s.mu.Unlock()
	silent := !s.silentSince.IsZero() && now.Sub(s.silentSince) > StreamStall
	return load{inFlight: len(s.messages), stalled: silent, open: s.err == nil && !s.openedAt.Before(since)}
}
