package answercache

import (
	"context"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// Counter counts what happened.
type Counter interface{ Inc() }

// Metrics of one member. All of them must be set.
type Metrics struct {
	// Evicted is how many answers of each kind made room for others.
	Evicted [Kinds]Counter
}

// Member is the cache of one member. All of its methods may be called at the same time.
type Member struct {
	cache   *Cache
	metrics Metrics

	mu     sync.RWMutex // of the queues' order; weights are under the cache's lock
	queues [Kinds]queue
	// dropped is set once nothing is kept any more; guarded by both locks.
	dropped bool

	ctx      context.Context //nolint:containedctx // of the flights, which Close ends
	cancel   context.CancelFunc
	spawning sync.Mutex // orders spawn and Close
	tasks    sync.WaitGroup
}

// Member returns a member's part of the cache, until Drop and Close.
func (c *Cache) Member(metrics Metrics) *Member {
	m := &Member{cache: c, metrics: metrics}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	c.mu.Lock()
	c.members[m] = struct{}{}
	c.mu.Unlock()
	return m
}

// Get returns the answer to a question, nil where there is none. It may be stale, or
// gone: see its State.
func (m *Member) Get(k Key) *Answer {
	m.mu.RLock()
	e := m.find(k)
	m.mu.RUnlock()
	if e == nil {
		return nil
	}
	e.use()
	a := e.answer.Load()
	a.hit()
	return a
}

// peek is Get without counting it.
func (m *Member) peek(k Key) *Answer {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if e := m.find(k); e != nil {
		return e.answer.Load()
	}
	return nil
}

func (m *Member) find(k Key) *entry {
	if e := m.queues[Positive].find(k); e != nil {
		return e
	}
	return m.queues[Negative].find(k)
}

// Put keeps the member's reply to a question, in the place of what there was, or removes
// that where the reply isn't to be kept. The reply stays the caller's.
func (m *Member) Put(k Key, asked string, reply *dns.Msg, now time.Time) {
	v := judge(reply, k.Type, m.cache.options.NegativeTTL)
	switch {
	case v.keep && v.ttl > 0: // of 0 nothing may be kept, nor served stale: RFC 8767, section 4
		m.keep(k, m.cache.newAnswer(asked, reply, v, now))
	case v.replaces:
		m.cache.mu.Lock()
		m.remove(k)
		m.cache.mu.Unlock()
	}
}

func (m *Member) keep(k Key, a *Answer) {
	a.weight = weigh(a.msg, len(k.Name)+len(a.Asked))
	if m.replace(k, a) {
		return
	}
	c := m.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.dropped {
		return
	}
	m.remove(k) // of the other kind, or another weight
	if !c.makeRoom(a, m) {
		return
	}
	e := new(entry)
	e.answer.Store(a)
	known := c.kinds[a.kind].ghosts.take(m, k)
	m.mu.Lock()
	m.queues[a.kind].add(k, e, known)
	m.mu.Unlock()
	c.weigh(m, a.kind, a.weight)
}

// replace puts the answer in the place of one of the same kind and weight, which needs no
// room, and reports whether there was one: the common case, a name asked again after its TTL.
func (m *Member) replace(k Key, a *Answer) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	e := m.queues[a.kind].find(k)
	if e == nil || e.answer.Load().weight != a.weight {
		return false
	}
	e.answer.Store(a)
	return true
}

// remove removes the answer to a question; c.mu is held.
func (m *Member) remove(k Key) {
	e := m.find(k)
	if e == nil {
		return
	}
	a := e.answer.Load()
	m.mu.Lock()
	m.queues[a.kind].remove(k)
	m.mu.Unlock()
	m.cache.removed(m, a)
}

// evict removes the answer that is worth least, and reports whether there was one; c.mu is
// held.
func (m *Member) evict(kind Kind) bool {
	m.mu.Lock()
	k, e, asked := m.queues[kind].evict()
	m.mu.Unlock()
	if e == nil {
		return false
	}
	if !asked {
		m.cache.kinds[kind].ghosts.add(m, k)
	}
	m.cache.removed(m, e.answer.Load())
	m.metrics.Evicted[kind].Inc()
	return true
}

// Drop frees the member's room: nothing is found any more, or kept.
func (m *Member) Drop() {
	c := m.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.dropped {
		return
	}
	delete(c.members, m)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dropped = true
	for kind := range m.queues {
		c.weigh(m, Kind(kind), -m.queues[kind].weight)
		m.queues[kind] = queue{}
	}
}
