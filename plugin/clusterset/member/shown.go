package member

import (
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// What the sessions tell the Member. All of it is under the Member's lock, and
// nothing that a session tells counts once it is over.

// optionalWait is how long whole data wait for the kinds that aren't required.
const optionalWait = 3 * time.Second

// meet takes in that a session's API is alive, and tells whether it is to be
// listed again.
func (m *Member) meet(s *session) (again bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.uid != "" && s.uid != "" && s.uid != m.uid && m.newest == s.by {
		m.diary.tell(aboutAPI, &trouble{reason: Replaced, err: errReplaced})
		m.uid = s.uid // told once
		m.publish()
	}
	return m.whole
}

// identify takes in the uid of a session's cluster, and tells whether it is the
// one that it was.
func (m *Member) identify(s *session, uid string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.uid == "" {
		s.uid = uid
	}
	return s.uid == uid
}

// listed takes in a whole list.
func (m *Member) listed(f *feed, list map[string]item) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.session.over {
		return
	}
	if f.kind == m.kinds[exports] {
		m.diary.mcs(true)
	}
	m.take(f, list)
	counted := 0
	for _, i := range list {
		counted += i.cost()
	}
	f.session.cost[f.number].Store(int64(counted))
}

func (m *Member) take(f *feed, list map[string]item) {
	s := f.session
	m.hear(f)
	f.listed, f.watched = true, true
	m.recovered(f)
	if !s.shown {
		f.pending = list
		m.show(s)
		return
	}
	now := time.Now()
	m.data = f.replace(m.data, list, now)
	switch f.kind {
	case m.kinds[namespaces]:
		s.derived = nil
	case m.kinds[services]:
		if s.derived != nil {
			m.data, s.derived = deriveNamespaces(m.data, m.kinds[namespaces], now)
		}
	}
	m.publish()
}

// changed takes in an event.
func (m *Member) changed(f *feed, i item, deleted bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := f.session
	if s.over {
		return
	}
	m.hear(f)
	before := f.held(m.data, i.key)
	switch {
	case s.shown:
		m.apply(f, i, deleted)
	case deleted:
		delete(f.pending, i.key)
	default:
		f.pending[i.key] = i
	}
	if err := s.count(f.number, f.held(m.data, i.key)-before); err != nil {
		f.tooLarge(err)
	}
}

// held is what the item of that key counts as, 0 where there is none.
func (f *feed) held(d *model.Data, key string) int {
	if f.session.shown {
		return f.cost(d, key)
	}
	if i, there := f.pending[key]; there {
		return i.cost()
	}
	return 0
}

func (m *Member) apply(f *feed, i item, deleted bool) {
	now, before := time.Now(), m.data
	m.data = f.change(before, i, deleted, now)
	if m.data == before {
		return
	}
	if by := hasService(m.data, i.key) - hasService(before, i.key); by != 0 && f.kind == m.kinds[services] && f.session.derived != nil {
		m.data = f.session.derived.follow(m.data, i.key, by, now)
	}
	m.publish()
	if !deleted && !i.triggered.IsZero() {
		m.options.Metrics.Programming.Observe(time.Since(i.triggered).Seconds())
	}
}

// show makes a session's lists the data as soon as they are whole: what is older
// stays until then, and what others of the session told before goes with it.
func (m *Member) show(s *session) {
	whole, settled := s.complete()
	switch {
	case s.over, s.shown, !whole:
		return
	case !settled && !s.waited:
		m.giveTime(s)
		return
	}
	now := time.Now()
	for _, f := range s.feeds {
		if f.listed {
			m.data = f.replace(m.data, f.pending, now)
			f.pending = nil
		}
	}
	if !s.feeds[namespaces].listed {
		m.data, s.derived = deriveNamespaces(m.data, m.kinds[namespaces], now)
	}
	if m.live != nil && m.live.by != s.by {
		m.live.by.cancel()
	}
	s.shown, m.live, m.since = true, s, now
	if s.uid != "" {
		m.uid = s.uid
	}
	m.options.Metrics.Lists.Inc()
	m.diary.clear(aboutAPI)
	first := !m.whole
	m.whole = true
	m.publish()
	if first {
		close(m.synced) // who waits for it finds them
	}
}

// giveTime shows the session's data later, without what hasn't come by then.
func (m *Member) giveTime(s *session) {
	if s.giving {
		return
	}
	s.giving = true
	time.AfterFunc(optionalWait, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		s.waited = true
		m.show(s)
	})
}

// ended takes in that a session is over.
func (m *Member) ended(s *session, t *trouble) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s.over = true
	if m.ctx.Err() != nil {
		return // Stop will tell
	}
	if m.newest == s.by {
		m.diary.forgetKinds()
		if t != nil {
			m.diary.tell(aboutAPI, t)
		}
	}
	if m.live == s {
		m.live = nil
		if m.View().State == Fresh {
			m.since = s.lastSign()
		}
	}
	m.publish()
}

// failedAttempt takes in what kept a session from beginning.
func (m *Member) failedAttempt(a *attempts, t *trouble) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newest == a {
		m.diary.tell(aboutAPI, t)
		m.publish()
	}
}

// publish shows the data as they are now, and how far they can be trusted.
func (m *Member) publish() {
	old := m.view.Load()
	v := &View{Data: m.data, State: Stale, Err: m.wrong()}
	if m.live != nil && v.Err != nil && old.State == Fresh {
		m.since = time.Now() // a watch failed just now
	}
	v.Since = m.since
	switch {
	case !m.whole:
		v.State, v.Data, v.Since = Unsynced, model.NewData(), time.Time{}
	case v.Err == nil:
		v.State, v.Since = Fresh, time.Now()
		m.since = v.Since
	}
	m.view.Store(v)
	m.diary.published(old, v)
}

// wrong is why the data aren't fresh, nil where they are.
func (m *Member) wrong() error {
	if m.live != nil {
		if t := m.live.wrong(); t != nil {
			return t
		}
		return nil
	}
	if t := m.diary.worst(); t != nil {
		return t
	}
	return errNotSynced
}
