package answercache

import "time"

// sweepEvery is how often expired answers are looked for, at the most.
const sweepEvery = time.Minute

// startSweep removes what has expired, where there is no room: else the answers of a
// member that isn't asked any more would keep its share from the others. It is one of m's
// tasks beside the query; c.mu is held.
func (c *Cache) startSweep(m *Member, now time.Time) {
	if now.Sub(c.swept) < sweepEvery {
		return
	}
	c.swept = now
	members := make([]*Member, 0, len(c.members))
	for member := range c.members {
		members = append(members, member)
	}
	m.spawn(func() {
		for _, member := range members {
			for kind := range Kinds {
				member.sweep(kind, now)
			}
		}
	})
}

// sweep removes what has expired. It takes the lock for each key: nobody waits for a whole
// sweep.
func (m *Member) sweep(kind Kind, now time.Time) {
	m.mu.RLock()
	keys := m.queues[kind].keys()
	m.mu.RUnlock()
	for _, k := range keys {
		if a := m.peek(k); a == nil || a.State(now) != Gone {
			continue
		}
		m.cache.mu.Lock()
		if a := m.peek(k); a != nil && a.State(now) == Gone {
			m.remove(k)
		}
		m.cache.mu.Unlock()
	}
}
