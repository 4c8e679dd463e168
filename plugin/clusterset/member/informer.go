package member

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/backoff"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/conditions"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/resources"
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

// informer has the state of one resource in one session. It is under the Member's lock.
type informer struct {
	*resources.Resource
	number  int // the resource's
	session *session
	// pending are the items until the session's data are published, then nil.
	pending map[string]decode.Item
	// listed is set by the first list, settled also by a failure that lasts.
	listed, settled bool
	// failure is why it isn't listed or watched now.
	failure *failure.Failure
	// watched is set while its watch is established, absent while the API doesn't serve
	// the resource, or it is an import's and forbidden: then there is none.
	watched, absent bool
	failures        int // since it last succeeded
	// queued is set while its list waits for its turn.
	queued bool
	// active is when its list or watch last sent anything, zero while neither is in
	// flight. bookmarks is set where the watch does so though nothing changes.
	active    time.Time
	bookmarks bool
}

// noteActivity notes that a list or a watch sent something, or began. A bookmark proves
// the API alive.
func (i *informer) noteActivity(bookmark bool) {
	m := i.session.m
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

// noteAlive notes what proves the API alive.
func (i *informer) noteAlive() {
	i.active = time.Now()
	i.session.noteAlive()
}

// watchEstablished notes a watch that goes on from where the last one ended.
func (i *informer) watchEstablished() {
	m := i.session.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if i.session.over {
		return
	}
	i.noteAlive()
	i.watched = true
	if i.listed && i.failure != nil {
		i.recovered()
		m.publish()
	}
	m.publishDetails()
}

// watchEnded notes that a watch has ended. The next one goes on from there; but until it
// is established, changes aren't seen.
func (i *informer) watchEnded() {
	s, m := i.session, i.session.m
	m.mu.Lock()
	defer m.mu.Unlock()
	i.watched = false
	m.publishDetails()
	if s.over || !i.listed || !i.Required {
		return
	}
	s.running.Go(func() {
		backoff.Pause(s.ctx, rewatchTime)
		m.mu.Lock()
		defer m.mu.Unlock()
		if !s.over && s.ctx.Err() == nil && !i.watched && i.failure == nil {
			i.failure = &failure.Failure{Reason: failure.Unreachable, Resource: i.Name, Err: errBroken}
			s.requestProbe()
			m.publish()
		}
	})
}

// recovered notes that a resource is listed or watched.
func (i *informer) recovered() {
	i.settled, i.failures = true, 0
	if i.failure != nil {
		i.failure = nil
		i.session.m.conditions.Clear(i.Name)
	}
}

// noteFailure notes that a resource can't be listed or watched.
func (i *informer) noteFailure(f *failure.Failure) {
	s, m := i.session, i.session.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.over {
		return
	}
	i.failure, i.active = f, time.Time{}
	i.settled = i.settled || f.Reason == failure.Forbidden // others may pass: a new CRD's storage gets ready
	i.failures++
	// A connection that is lost is reported by the probe that follows, once for all.
	if m.newest == s.connector && (i.failures > 1 || !f.OfConnection()) {
		m.conditions.Set(i.Name, f)
	}
	i.noteExportsKnown()
	m.syncIfComplete(s)
	if i.Required {
		m.publish()
	}
	m.publishDetails()
}

// noteExportsKnown has Services listed that wait for ServiceExports, where these are listed,
// or can't be.
func (i *informer) noteExportsKnown() {
	if i.session.only != nil && i.number == resources.Exports && (i.listed || i.settled) {
		i.session.only.setKnown()
	}
}

// abortTooLarge ends the session for an event that is too large; other errors just end
// the watch.
func (i *informer) abortTooLarge(err error) {
	if errors.Is(err, decode.ErrTooLarge) {
		i.session.abort(&failure.Failure{Reason: failure.TooLarge, Resource: i.Name, Err: err})
	}
}

// credentialsRefused notes that the credentials aren't accepted any more, while the
// watches that were begun with them go on.
func (m *state) credentialsRefused(s *session, f *failure.Failure) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newest == s.connector {
		m.conditions.Set(conditions.API, f)
		m.publishDetails()
	}
}

// credentialsAccepted notes a probe that succeeded.
func (m *state) credentialsAccepted(s *session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newest == s.connector && m.live == s {
		m.conditions.Clear(conditions.API)
		m.publishDetails()
	}
}

// stalled returns the failure of a required resource whose list or watch hangs.
func (m *state) stalled(s *session) *failure.Failure {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range s.required() {
		if i.active.IsZero() { // it failed, or waits for its turn
			continue
		}
		patience, reason, what := m.options.Silence, failure.WatchSilent, "watch"
		switch {
		case !i.listed && s.plainLists:
			patience, reason, what = listPatience, failure.Timeout, "list"
		case !i.listed:
			patience, reason, what = streamPatience, failure.Timeout, "list"
		case !i.bookmarks:
			patience *= withoutBookmarks
		}
		if quiet := time.Since(i.active); quiet > patience {
			return &failure.Failure{Reason: reason, Resource: i.Name, Err: fmt.Errorf("%s: nothing for %v: %w", what, quiet.Round(time.Second), errStalled)}
		}
	}
	return nil
}
