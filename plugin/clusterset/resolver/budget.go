package resolver

import (
	"context"
	"sync/atomic"
	"time"
)

// budget is how many look-ups a question may still make: one value for it and all the
// look-ups within it, which a look-up that came too late goes on using.
type budget struct{ n int32 } // atomic

// take takes n look-ups, and reports whether there were as many.
func (b *budget) take(n int) bool { return atomic.AddInt32(&b.n, -int32(n)) >= 0 }

// left returns how many there are; it is negative where more were taken than there were.
func (b *budget) left() int { return int(atomic.LoadInt32(&b.n)) }

// lookUp is a look-up that a query is within, and the one around that, in the query's
// context. (CoreDNS's LoopKey is left to file, which takes more than eight of anybody's for
// a loop of its own.)
type lookUp struct {
	name  string
	qtype uint16
	outer *lookUp
	// budget is that of the question it is made for.
	budget *budget
}

type lookUpKey struct{}

// lookUpOf returns the look-up that a query is within, nil without one.
func lookUpOf(ctx context.Context) *lookUp {
	l, _ := ctx.Value(lookUpKey{}).(*lookUp)
	return l
}

// has reports whether the same look-up is under way, as where two clusters' ExternalNames point at
// each other.
func (l *lookUp) has(name string, qtype uint16) bool {
	for ; l != nil; l = l.outer {
		if l.qtype == qtype && sameName(l.name, name) {
			return true
		}
	}
	return false
}

// WithLookUp returns the context of a look-up that is no client's, with a budget of its own.
func WithLookUp(ctx context.Context, name string, qtype uint16) context.Context {
	l := &lookUp{name: name, qtype: qtype, budget: &budget{maxLookUps}}
	return context.WithValue(ctx, lookUpKey{}, l)
}

// lookUps returns the question's budget: that of the one it is part of, or its own.
func lookUps(ctx context.Context, q *Question) *budget {
	if l := lookUpOf(ctx); l != nil {
		return l.budget
	}
	return &q.own
}

// deadline returns when the whole question ends, with all the look-ups within it.
func deadline(ctx context.Context, q *Question, timeout time.Duration) time.Time {
	end := q.Received.Add(timeout)
	if lookUpOf(ctx) != nil {
		if outer, ok := ctx.Deadline(); ok && outer.Before(end) {
			return outer
		}
	}
	return end
}

// abandoned reports whether the query ended because of who asked: a client that has gone, as
// by DNS over HTTPS it may, or a question that this one is a part of and that has no time
// left. Asked by somebody else, the member may well have answered.
func abandoned(ctx context.Context) bool {
	if ctx.Err() != nil {
		return true
	}
	end, ok := ctx.Deadline()
	return ok && lookUpOf(ctx) != nil && !time.Now().Before(end)
}
