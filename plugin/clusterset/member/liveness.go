package member

import (
	"errors"
	"fmt"
	"io"
	"time"
)

// DefaultSilence is how long a watch may be silent. API servers send a bookmark about once
// a minute, 1.25 at the most.
const DefaultSilence = 3 * time.Minute

// A watch that never had a bookmark may be of an API server that sends none. It ends by
// itself after 10 minutes, as the Reflector asks for: later than that it hangs.
const withoutBookmarks = 4

// How long a list may be silent. Of a plain list, nothing is seen until it is whole.
const (
	streamPatience = 30 * time.Second
	listPatience   = 2 * time.Minute
)

// rewatchTime is how long data stay fresh between two watches: a watch ends every 5 to 10
// minutes, and the next one takes two round trips.
const rewatchTime = 300 * time.Millisecond

var (
	errBroken  = fmt.Errorf("the connection broke: %w", io.ErrUnexpectedEOF)
	errStalled = errors.New("the API is alive, and sends nothing")
)

// noteActivity notes that a list or a watch sent something, or began. A bookmark proves
// the API alive.
func (m *Member) noteActivity(i *informer, bookmark bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i.session.over {
		return
	}
	i.bookmarks = i.bookmarks || bookmark
	i.active = time.Now()
	if bookmark {
		i.session.noteAlive()
	}
}

// noteActivity notes what proves the API alive.
func (i *informer) noteActivity() {
	i.active = time.Now()
	i.session.noteAlive()
}

// watchEstablished notes a watch that goes on from where the last one ended.
func (m *Member) watchEstablished(i *informer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i.session.over {
		return
	}
	i.noteActivity()
	i.watched = true
	if i.listed && i.failure != nil {
		m.recovered(i)
		m.publish()
	}
	m.publishDetails()
}

// watchEnded notes that a watch has ended. The next one goes on from there; but until it
// is established, changes aren't seen.
func (m *Member) watchEnded(i *informer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i.watched = false
	m.publishDetails()
	s := i.session
	if s.over || !i.listed || !i.required {
		return
	}
	s.running.Go(func() {
		pause(s.ctx, rewatchTime)
		m.mu.Lock()
		defer m.mu.Unlock()
		if !s.over && s.ctx.Err() == nil && !i.watched && i.failure == nil {
			i.failure = &failure{reason: Unreachable, resource: i.name, err: errBroken}
			s.requestProbe()
			m.publish()
		}
	})
}

// recovered notes that a resource is listed or watched.
func (m *Member) recovered(i *informer) {
	i.settled, i.failures = true, 0
	if i.failure != nil {
		i.failure = nil
		m.conditions.clear(i.name)
	}
}

// informerFailed notes that a resource can't be listed or watched.
func (m *Member) informerFailed(i *informer, f *failure) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := i.session
	if s.over {
		return
	}
	i.failure, i.active = f, time.Time{}
	i.settled = i.settled || f.reason == Forbidden // others may pass: a new CRD's storage gets ready
	i.failures++
	// A connection that is lost is reported by the probe that follows, once for all.
	if m.newest == s.connector && (i.failures > 1 || !f.ofConnection()) {
		m.conditions.set(i.name, f)
	}
	m.syncIfComplete(s)
	if i.required {
		m.publish()
	}
	m.publishDetails()
}

// exportsNotServed notes that the API doesn't serve ServiceExports: then there are none.
func (m *Member) exportsNotServed(i *informer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !i.session.over {
		m.conditions.setExportsServed(false)
		i.absent = true
		m.setList(i, nil)
	}
}

// credentialsRefused notes that the credentials aren't accepted any more, while the
// watches that were begun with them go on.
func (m *Member) credentialsRefused(s *session, f *failure) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newest == s.connector {
		m.conditions.set(aboutAPI, f)
		m.publishDetails()
	}
}

// credentialsAccepted notes a probe that succeeded.
func (m *Member) credentialsAccepted(s *session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newest == s.connector && m.live == s {
		m.conditions.clear(aboutAPI)
		m.publishDetails()
	}
}

// stalled returns the failure of a required resource whose list or watch hangs.
func (m *Member) stalled(s *session) *failure {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range s.required() {
		if i.active.IsZero() { // it failed, or waits for its turn
			continue
		}
		patience, reason, what := m.options.Silence, WatchSilent, "watch"
		switch {
		case !i.listed && s.plainLists:
			patience, reason, what = listPatience, Timeout, "list"
		case !i.listed:
			patience, reason, what = streamPatience, Timeout, "list"
		case !i.bookmarks:
			patience *= withoutBookmarks
		}
		if quiet := time.Since(i.active); quiet > patience {
			return &failure{reason: reason, resource: i.name, err: fmt.Errorf("%s: nothing for %v: %w", what, quiet.Round(time.Second), errStalled)}
		}
	}
	return nil
}
