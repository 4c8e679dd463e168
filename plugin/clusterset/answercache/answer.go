package answercache

import (
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

const (
	// maxStaleTTL is the TTL of a stale answer, in seconds, at the most: RFC 8767,
	// section 4.
	maxStaleTTL = 30
	// prefetchHits is how often an answer must have been given for it to be fetched
	// again before it expires.
	prefetchHits = 3
	// prefetchPart is the last part of its TTL, in which that is done; short TTLs
	// have prefetchLeast, but never more than half of them: a TTL of a second would
	// be fetched without end.
	prefetchPart  = 10
	prefetchLeast = time.Second
)

// State of an answer at some time.
type State uint8

// The states, as time passes.
const (
	// Fresh: within its TTL.
	Fresh State = iota
	// Stale: for when the member can't be asked.
	Stale
	// Gone: of no use any more.
	Gone
)

// Answer is a member's reply. It is immutable but for the counting of its use.
type Answer struct {
	// Asked is what the member was asked for: its own name of the question's.
	Asked string

	msg    *dns.Msg
	shape  shape
	kind   Kind
	weight int
	stored time.Time
	ttl    uint32
	// stale is how long after its TTL it may be given.
	stale time.Duration

	hits       atomic.Uint32 // up to prefetchHits
	prefetched atomic.Bool
	flight     atomic.Pointer[Flight]
}

// newAnswer returns an answer with the member's reply, which stays the caller's.
func (c *Cache) newAnswer(asked string, reply *dns.Msg, v verdict, now time.Time) *Answer {
	a := &Answer{Asked: asked, shape: shapeOf(reply), kind: v.kind, stored: now, ttl: v.ttl}
	if v.kind == Positive {
		a.stale = c.options.ServeStale
	}
	a.msg = a.shape.copyOf(reply, 0, unlimited)
	return a
}

// Kind returns whether there are records.
func (a *Answer) Kind() Kind { return a.kind }

// State returns the answer's at that time.
func (a *Answer) State(now time.Time) State {
	switch age := now.Sub(a.stored); {
	case age < seconds(a.ttl):
		return Fresh
	case age < seconds(a.ttl)+a.stale:
		return Stale
	}
	return Gone
}

// Age returns how long ago the member sent it, in whole seconds.
func (a *Answer) Age(now time.Time) uint32 {
	return uint32(min(max(now.Sub(a.stored)/time.Second, 0), unlimited))
}

// Message returns the member's reply with TTLs counted down, without EDNS. It is the
// caller's.
func (a *Answer) Message(now time.Time) *dns.Msg {
	return a.shape.copyOf(a.msg, a.Age(now), unlimited)
}

// StaleMessage is Message for a stale answer: RFC 8767, section 4. What was proven
// authentic then isn't now, so that AD is not set.
func (a *Answer) StaleMessage() *dns.Msg {
	m := a.shape.copyOf(a.msg, 0, maxStaleTTL)
	m.AuthenticatedData = false
	return m
}

// hit counts a use of the answer.
func (a *Answer) hit() {
	if a.hits.Load() < prefetchHits {
		a.hits.Add(1)
	}
}

// Due reports whether a fresh answer is to be prefetched: it is popular and near its end.
// It is true once.
func (a *Answer) Due(now time.Time) bool {
	if a.hits.Load() < prefetchHits {
		return false
	}
	ttl := seconds(a.ttl)
	last := min(max(ttl/prefetchPart, prefetchLeast), ttl/2)
	return now.Sub(a.stored) >= ttl-last && !a.prefetched.Load() && !a.prefetched.Swap(true)
}
