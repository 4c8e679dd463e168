package member

import (
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// heard takes in a sign of life of a list or a watch.
func (m *Member) heard(f *feed, bookmark bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.session.over {
		return
	}
	f.bookmarks = f.bookmarks || bookmark
	f.heard = time.Now()
	if bookmark {
		f.session.alive()
	}
}

func (m *Member) hear(f *feed) {
	f.heard = time.Now()
	f.session.alive()
}

// watching takes in that a watch stands that goes on from where the last one was.
func (m *Member) watching(f *feed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.session.over {
		return
	}
	m.hear(f)
	f.watched = true
	if f.listed && f.trouble != nil {
		m.recovered(f)
		m.publish()
	}
}

// rewatchTime is how long data are fresh between two watches: a watch ends every 5
// to 10 minutes, and the next one takes two round trips.
const rewatchTime = 300 * time.Millisecond

// unwatched takes in that a watch has ended. The next one goes on from there; but
// if it is slow to come, nobody tells what changes.
func (m *Member) unwatched(f *feed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f.watched = false
	if f.session.over || !f.listed || !f.required {
		return
	}
	time.AfterFunc(rewatchTime, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if !f.session.over && !f.watched && f.trouble == nil {
			f.trouble = &trouble{reason: Unreachable, of: f.name, err: errBroken}
			f.session.look()
			m.publish()
		}
	})
}

func (m *Member) recovered(f *feed) {
	f.settled, f.failures = true, 0
	if f.trouble != nil {
		f.trouble = nil
		m.diary.clear(f.name)
	}
}

// failing takes in that a kind can't be listed or watched.
func (m *Member) failing(f *feed, t *trouble) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := f.session
	if s.over {
		return
	}
	f.trouble, f.heard = t, time.Time{}
	f.settled = f.settled || t.reason == Forbidden // others may be over soon: a new CRD's storage gets ready
	f.failures++
	// Of a lost connection the probe that follows will tell, for all kinds.
	if m.newest == s.by && (f.failures > 1 || !t.ofConnection()) {
		m.diary.tell(f.name, t)
	}
	m.show(s)
	if f.required {
		m.publish()
	}
}

// absent takes in that the API doesn't know ServiceExports: then there are none.
func (m *Member) absent(f *feed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !f.session.over {
		m.diary.mcs(false)
		m.take(f, map[string]item{})
	}
}

// refused takes in that the credentials aren't accepted any more, while the
// watches made with them go on.
func (m *Member) refused(s *session, t *trouble) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newest == s.by {
		m.diary.tell(aboutAPI, t)
	}
}

// accepted takes in a good probe.
func (m *Member) accepted(s *session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newest == s.by && m.live == s {
		m.diary.clear(aboutAPI)
	}
}

var errSilent = errors.New("the API is alive, and tells nothing")

// silent finds a required kind whose list or watch hangs.
func (m *Member) silent(s *session) *trouble {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, f := range s.required() {
		if f.heard.IsZero() { // it failed, or waits for its turn
			continue
		}
		patience, reason, what := m.options.Silence, WatchSilent, "watch"
		switch {
		case !f.listed && s.plainLists:
			patience, reason, what = listPatience, Timeout, "list"
		case !f.listed:
			patience, reason, what = streamPatience, Timeout, "list"
		case !f.bookmarks:
			patience *= withoutBookmarks
		}
		if quiet := time.Since(f.heard); quiet > patience {
			return &trouble{reason: reason, of: f.name, err: fmt.Errorf("%s: nothing for %v: %w", what, quiet.Round(time.Second), errSilent)}
		}
	}
	return nil
}

// advice is what to do about a trouble, "" where there is nothing to say.
func (t *trouble) advice() string {
	if t.of == "" || !apierrors.IsForbidden(t.err) {
		return ""
	}
	text := "; allow list and watch of " + t.of + " in all namespaces"
	if t.of == "namespaces" {
		text += "; until then those are known that have a service"
	}
	return text
}
