package members

import (
	"sync"
	"time"
)

// DrainTime is how long a member that left is kept for queries which still hold an older
// set: their whole time, and CoreDNS's grace at a reload.
const DrainTime = 5 * time.Second

// Members that were replaced have sockets and memory until they are drained: with more of
// them than maxDraining, and than drainingTimes those of the ClusterSet, a change waits. A
// document, or a Secret, may change many times a second for as long as its writer likes.
const (
	maxDraining   = 100
	drainingTimes = 4
)

// isFull reports whether so many members are drained that a change waits.
func isFull(draining, members int) bool {
	return draining >= max(maxDraining, drainingTimes*members)
}

// drainAllBut drains the members of old, if there was one, that aren't in next.
func (m *Manager) drainAllBut(old, next *Set) {
	if old == nil {
		return
	}
	for name, was := range old.byName {
		if next.byName[name] != was {
			m.drain(was)
		}
	}
}

// drain closes a member when the queries that may hold it are over. Its cached answers go
// now: no new query finds them. m.mu is held.
func (m *Manager) drain(was *Member) {
	m.draining++
	if was.Answers != nil {
		was.Answers.Drop()
	}
	m.afterQueries(func() {
		was.close()
		m.drained()
	})
}

// afterQueries calls do when the queries of now are over; Wait waits for its return.
func (m *Manager) afterQueries(do func()) {
	m.ending.Add(1)
	time.AfterFunc(max(DrainTime, m.options.Timeout), func() {
		defer m.ending.Done()
		do()
	})
}

// close closes what is the member's alone, and releases what it shares.
func (m *Member) close() {
	if m.Answers != nil {
		m.Answers.Close()
	}
	if m.Client != nil {
		m.Client.Close()
		m.Metrics.ReleaseUpstreams(m.DNS)
	}
	if m.Data != nil {
		m.Data.Release()
	}
	if m.Gateway != nil {
		releaseGateway(m.Cluster)
	}
	m.Metrics.Release()
}

// drained makes room for a change that waits.
func (m *Manager) drained() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.draining--
	if m.waits {
		m.build()
	}
}

// Close ends all watching at once, and the members once their queries are over: a Corefile
// reload shuts the old instance down while it still answers. Wait waits for that.
func (m *Manager) Close() {
	for _, unsubscribe := range m.unsubscribe {
		unsubscribe()
	}
	m.mu.Lock()
	m.closed = true
	watched := m.credentials
	m.credentials = nil
	if m.current != nil {
		for _, one := range m.current.byName {
			m.drain(one)
		}
	}
	if m.imports != nil {
		m.afterQueries(m.imports.Release)
	}
	m.mu.Unlock()
	var stopping sync.WaitGroup
	for _, c := range watched {
		stopping.Go(c.stop)
	}
	stopping.Wait()
}

// Wait returns when, after Close, all members are closed.
func (m *Manager) Wait() { m.ending.Wait() }
