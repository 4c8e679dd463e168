package member

import (
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/backoff"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/conditions"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/resources"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// What sessions report. All of it is under the Member's lock, and nothing counts that a
// session reports once it is over.

// optionalWait is how long whole data wait for the resources that aren't required.
const optionalWait = 3 * time.Second

// sessionConnected notes that a session's API is alive, and reports whether it is to be
// listed again.
func (m *state) sessionConnected(s *session) (again bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.uid != "" && s.uid != "" && s.uid != m.uid && m.newest == s.connector {
		m.conditions.Set(conditions.API, &failure.Failure{Reason: failure.Replaced, Err: errReplaced})
		m.uid = s.uid // reported once
		m.publish()
	}
	m.connected = s
	m.publishDetails()
	return m.whole
}

// watches reports whether all is watched that makes data whole: where that is nothing, too.
func (m *state) watches(s *session) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range s.required() {
		if !i.watched {
			return false
		}
	}
	return true
}

// identify notes the uid of a session's cluster, and reports whether it is the one that it
// was.
func (m *state) identify(s *session, uid string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s.uid == "" {
		s.uid = uid
	}
	return s.uid == uid
}

// applyList applies a whole list.
func (m *state) applyList(i *informer, list map[string]decode.Item) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i.session.over {
		return
	}
	switch {
	case i.number == resources.Exports:
		m.conditions.SetServed(true, resources.ServiceExports, resources.MCSGroup, "")
	case m.options.Imports && i.number == resources.Services:
		m.conditions.SetServed(true, resources.ServiceImports, resources.MCSGroup, "")
	}
	if i.absent {
		i.absent = false
		m.conditions.Clear(i.Name) // an import's, where it was forbidden
	}
	i.session.only.selectFrom(i, list)
	m.setList(i, list)
	cost := 0
	for _, item := range list {
		cost += item.Cost()
	}
	i.session.cost[i.number].Store(int64(cost))
}

func (m *state) setList(i *informer, list map[string]decode.Item) {
	s := i.session
	i.noteAlive()
	i.listed, i.watched = true, true
	i.recovered()
	s.only.expect(i, list)
	if !s.synced {
		i.pending = list
		i.noteExportsKnown()
		m.syncIfComplete(s)
		m.publishDetails()
		return
	}
	now, before := time.Now(), m.data
	m.data = i.Replace(m.data, list, now)
	switch i.number {
	case resources.Namespaces:
		s.derived = nil
	case resources.Services:
		if s.derived != nil {
			m.data, s.derived = resources.DeriveNamespaces(m.data, now)
		}
	}
	s.only.forget(i, before)
	m.publish()
}

// applyEvent applies an event.
func (m *state) applyEvent(i *informer, item decode.Item, deleted bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := i.session
	if s.over {
		return
	}
	i.noteAlive()
	s.only.touch(item.Key)
	drops := s.only.drops(i, item)
	if s.only != nil && (drops || deleted) && i.costOf(m.data, item.Key) == 0 {
		return // most events are of what isn't kept: they change nothing
	}
	wanted := s.only != nil && s.only.wants(item.Key)
	if err := m.applyItem(i, item, deleted || drops); err != nil {
		i.abortTooLarge(err)
	}
	s.only.changed(i, item.Key, wanted)
}

// applyItem sets or deletes an item, in the data or in what is to become them.
func (m *state) applyItem(i *informer, item decode.Item, deleted bool) error {
	s := i.session
	before := i.costOf(m.data, item.Key)
	switch {
	case s.synced:
		m.changeData(i, item, deleted)
	case deleted:
		delete(i.pending, item.Key)
	default:
		i.pending[item.Key] = item
	}
	return s.addCost(i.number, i.costOf(m.data, item.Key)-before)
}

// costOf returns what the item of that key counts as, 0 where there is none.
func (i *informer) costOf(d *model.Data, key string) int {
	if i.session.synced {
		return i.Cost(d, key)
	}
	if item, there := i.pending[key]; there {
		return item.Cost()
	}
	return 0
}

func (m *state) changeData(i *informer, item decode.Item, deleted bool) {
	now, before := time.Now(), m.data
	m.data = i.Change(before, item, deleted, now)
	if m.data == before {
		return
	}
	by := resources.CountService(m.data, item.Key) - resources.CountService(before, item.Key)
	if by != 0 && i.number == resources.Services && i.session.derived != nil {
		m.data = i.session.derived.Update(m.data, item.Key, by, now)
	}
	m.publish()
	if !deleted && !item.Triggered.IsZero() {
		m.options.Metrics.Programming.Observe(time.Since(item.Triggered).Seconds())
	}
}

// syncIfComplete makes a session's lists the data once they are whole. The data of before
// stay until then.
func (m *state) syncIfComplete(s *session) {
	whole, settled := s.complete()
	switch {
	case s.over, s.synced, !whole:
		return
	case !settled && !s.waited:
		m.waitForOptional(s)
		return
	}
	now := time.Now()
	s.only.prune()
	for _, i := range s.informers {
		if i.listed {
			m.data = i.Replace(m.data, i.pending, now)
			i.pending = nil
		}
	}
	if m.options.Imports || !s.informers[resources.Namespaces].listed {
		m.data, s.derived = resources.DeriveNamespaces(m.data, now)
	}
	if m.live != nil && m.live.connector != s.connector {
		m.live.connector.cancel()
	}
	s.synced, m.live, m.since = true, s, now
	if s.uid != "" {
		m.uid = s.uid
	}
	m.options.Metrics.Lists.Inc()
	m.conditions.Clear(conditions.API)
	first := !m.whole
	m.whole = true
	m.publish()
	if first {
		close(m.synced) // after the View has the data
	}
}

// waitForOptional syncs the session later, without what isn't listed by then.
func (m *state) waitForOptional(s *session) {
	if s.waiting {
		return
	}
	s.waiting = true
	s.running.Go(func() {
		backoff.Pause(s.ctx, optionalWait)
		m.mu.Lock()
		defer m.mu.Unlock()
		s.waited = true
		m.syncIfComplete(s)
	})
}

// sessionEnded notes the end of a session.
func (m *state) sessionEnded(s *session, f *failure.Failure) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s.over = true
	if m.ctx.Err() != nil {
		return // Stop publishes
	}
	if m.newest == s.connector {
		m.conditions.ClearResources()
		if f != nil {
			m.conditions.Set(conditions.API, f)
		}
	}
	if m.connected == s {
		m.connected = nil
	}
	if m.live == s {
		m.live = nil
		if m.view.Load().State == Fresh {
			m.since = s.proofs.Last()
		}
	}
	m.publish()
}

// publish makes a View of the data as they are now.
func (m *state) publish() {
	old := m.view.Load()
	v := &View{Data: m.data, State: Stale, Err: m.notFresh()}
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
	if v.began = time.Now(); old != nil && old.State == v.State {
		v.began = old.began
	}
	m.view.Store(v)
	if old == nil || !v.equal(old) {
		epoch.Add(1)
	}
	m.publishDetails()
	m.options.report(old, v)
}

// notFresh returns why the data aren't fresh, nil where they are.
func (m *state) notFresh() error {
	if m.live != nil {
		if f := m.live.failure(); f != nil {
			return f
		}
		return nil
	}
	if f := m.conditions.Worst(); f != nil {
		return f
	}
	return errNotSynced
}
