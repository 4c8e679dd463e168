package question

import (
	"context"
	"sync/atomic"
	"time"
)

// Budget is how many look-ups a question may still make: one value for it and all the
// look-ups within it, which a look-up that came too late goes on using.
type Budget struct {
	N int32 // atomic after it was set
}

// Take takes n look-ups, and reports whether there were as many.
func (b *Budget) Take(n int) bool { return atomic.AddInt32(&b.N, -int32(n)) >= 0 }

// Left returns how many there are; it is negative where more were taken than there were.
func (b *Budget) Left() int { return int(atomic.LoadInt32(&b.N)) }

// lookUp is a look-up that a query is within, and the one around that, in the query's
// context. (CoreDNS's LoopKey is left to file, which takes more than eight of anybody's for
// a loop of its own.)
type lookUp struct {
	name  string
	qtype uint16
	outer *lookUp
	// budget is that of the question it is made for.
	budget *Budget
}

type lookUpKey struct{}

// lookUpOf returns the look-up that a query is within, nil without one.
func lookUpOf(ctx context.Context) *lookUp {
	l, _ := ctx.Value(lookUpKey{}).(*lookUp)
	return l
}

// has reports whether it is, or is within, a look-up of that name and type.
func (l *lookUp) has(name string, qtype uint16) bool {
	for ; l != nil; l = l.outer {
		if l.qtype == qtype && SameName(l.name, name) {
			return true
		}
	}
	return false
}

// WithLookUp returns the context of a look-up that is no client's, with a budget of its own.
func WithLookUp(ctx context.Context, name string, qtype uint16) context.Context {
	l := &lookUp{name: name, qtype: qtype, budget: &Budget{N: MaxLookUps}}
	return context.WithValue(ctx, lookUpKey{}, l)
}

// IsWithin reports whether a query is within a look-up.
func IsWithin(ctx context.Context) bool { return lookUpOf(ctx) != nil }

// IsUnderWay reports whether a query is within a look-up of that name and type, as where two
// clusters' ExternalNames point at each other.
func IsUnderWay(ctx context.Context, name string, qtype uint16) bool {
	return lookUpOf(ctx).has(name, qtype)
}

// Within returns the context of a look-up of that name and type, which uses up b. It may be
// within others.
func Within(ctx context.Context, name string, qtype uint16, b *Budget) context.Context {
	return context.WithValue(ctx, lookUpKey{}, &lookUp{name, qtype, lookUpOf(ctx), b})
}

// LookUps returns the question's budget: that of the one it is part of, or its own.
func LookUps(ctx context.Context, q *Question) *Budget {
	if l := lookUpOf(ctx); l != nil {
		return l.budget
	}
	return &q.Budget
}

// LookUpsLeft returns how many look-ups are left to who is asked for the question: those of the
// one that it is part of, or all that it came with.
func LookUpsLeft(ctx context.Context, q *Question) int {
	if l, _ := ctx.Value(lookUpKey{}).(*lookUp); l != nil {
		return l.budget.Left()
	}
	return int(q.Trail.Left)
}

// Deadline returns when the whole question ends, with all the look-ups within it.
func Deadline(ctx context.Context, q *Question, timeout time.Duration) time.Time {
	end := q.Received.Add(timeout)
	if lookUpOf(ctx) != nil {
		if outer, ok := ctx.Deadline(); ok && outer.Before(end) {
			return outer
		}
	}
	return end
}

// Abandoned reports whether the query ended because of who asked: a client that has gone, as
// by DNS over HTTPS it may, or a question that this one is a part of and that has no time
// left. Asked by somebody else, the member may well have answered.
func Abandoned(ctx context.Context) bool {
	if ctx.Err() != nil {
		return true
	}
	end, ok := ctx.Deadline()
	return ok && lookUpOf(ctx) != nil && !time.Now().Before(end)
}
