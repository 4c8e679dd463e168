package answercache

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Options are a Cache's.
type Options struct {
	// Capacity is of the positive answers; the negative ones have a quarter of it
	// beside. An answer counts as one for each started KiB that it takes.
	Capacity int
	// NegativeTTL is how long a negative answer is kept, in seconds, at the most.
	NegativeTTL uint32
	// ServeStale is how long after its TTL a positive answer may be given; 0 is
	// not at all.
	ServeStale time.Duration
}

// negativePart of the capacity is the room for negative answers, beside it.
const negativePart = 4

// Cache is the room that members' answers share. Its methods, and its members',
// may be called at the same time.
//
// While there is room, any member may take it. When there is none, a member that
// has more than its share (the capacity, divided by the members that have answers)
// makes room from its own answers, and one that has less is given room by the
// member that has most. So no member loses an answer to another one while it has
// no more than its share, whatever the others are asked.
type Cache struct {
	options Options

	mu      sync.Mutex // orders what comes and goes; taken before a Member's
	kinds   [Kinds]budget
	members map[*Member]struct{}
	swept   time.Time
}

// budget is the room for one kind of answers.
type budget struct {
	capacity, used int
	// holders are the members that have some.
	holders int
	ghosts  ghosts
}

// New makes a cache. It needs no closing: its members do.
func New(o Options) *Cache {
	c := &Cache{options: o, members: make(map[*Member]struct{})}
	for kind, capacity := range [Kinds]int{Positive: o.Capacity, Negative: o.Capacity / negativePart} {
		c.kinds[kind] = budget{capacity: capacity, ghosts: newGhosts(capacity)}
	}
	return c
}

// makeRoom evicts until m's answer fits in, from the member that has to make room. It reports
// whether the answer is to be kept. c.mu is held.
func (c *Cache) makeRoom(a *Answer, m *Member) bool {
	kind, weight := a.kind, a.weight
	b := &c.kinds[kind]
	if weight > min(maxWeight, b.capacity) {
		return false
	}
	for b.used+weight > b.capacity {
		c.startSweep(m, a.stored)
		from := m
		if own := m.queues[kind].weight; own+weight <= b.share(own == 0) {
			from = c.largest(kind)
		}
		if !from.evict(kind) {
			return false
		}
	}
	return true
}

// share returns each holder's part, where another one becomes one as well.
func (b *budget) share(another bool) int {
	holders := b.holders
	if another {
		holders++
	}
	return max(b.capacity/max(holders, 1), 1)
}

// largest returns the member that has most. It is looked for only while a member grows
// that has less than its share.
func (c *Cache) largest(kind Kind) *Member {
	var most *Member
	for m := range c.members {
		if most == nil || m.queues[kind].weight > most.queues[kind].weight {
			most = m
		}
	}
	return most
}

// weigh changes the weight of a member's answers of a kind.
func (c *Cache) weigh(m *Member, kind Kind, change int) {
	b, q := &c.kinds[kind], &m.queues[kind]
	before := q.weight
	q.weight += change
	b.used += change
	switch {
	case before == 0 && q.weight > 0:
		b.holders++
	case before > 0 && q.weight == 0:
		b.holders--
	}
}

// removed counts an answer that is out of its queue; c.mu is held.
func (c *Cache) removed(m *Member, a *Answer) {
	c.weigh(m, a.kind, -a.weight)
}

// ghosts are the names that were evicted before they were asked again (S3-FIFO's ghost
// queue): one that comes back goes to the main queue.
type ghosts struct {
	seed maphash.Seed
	lru  *simplelru.LRU[uint64, struct{}] // nil without room
}

type ghost struct {
	m *Member
	k Key
}

func newGhosts(capacity int) ghosts {
	g := ghosts{seed: maphash.MakeSeed()}
	g.lru, _ = simplelru.NewLRU[uint64, struct{}](capacity, nil) // nil without room
	return g
}

func (g *ghosts) add(m *Member, k Key) {
	if g.lru != nil {
		g.lru.Add(maphash.Comparable(g.seed, ghost{m, k}), struct{}{})
	}
}

// take reports whether it was there, once.
func (g *ghosts) take(m *Member, k Key) bool {
	return g.lru != nil && g.lru.Remove(maphash.Comparable(g.seed, ghost{m, k}))
}
