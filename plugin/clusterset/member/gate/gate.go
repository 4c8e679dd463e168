// Package gate bounds the lists that are in flight of all members together, and shares the
// slots among them: a list's garbage is several times what is kept of it, so too many at a
// time cost memory (kubernetes/kubernetes#139117).
package gate

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxHold is how long a list may hold its slot. One that takes longer goes on beside the
// next: a slow API must not hold up the others.
const maxHold = 5 * time.Second

// A member's lists together hold slots for shareBurst, and then for shareEach of the time:
// a member whose lists last, and which wants the next slot at once, holds it for leastHold.
// A list of 10,000 objects takes less than a second.
const (
	shareBurst = 3 * maxHold
	shareEach  = 0.25
	leastHold  = maxHold / 20
)

// NewShare returns a member's share of the slots, in milliseconds.
func NewShare() *rate.Limiter {
	return rate.NewLimiter(shareEach*1000, int(shareBurst.Milliseconds()))
}

// Slot is one resource's slot of the gate, held while its list is in flight.
type Slot struct {
	// Gate has all slots.
	Gate chan struct{}
	// Own bounds those of one member, so that others find a free slot: an API may take all
	// of maxHold for each of its lists, again and again. nil is no bound.
	Own chan struct{}
	// Share is the member's; nil is as long as maxHold.
	Share *rate.Limiter

	mu   sync.Mutex
	free func() // nil while no slot is held
}

// Acquire waits for a slot, or for the end of ctx.
func (s *Slot) Acquire(ctx context.Context) error {
	s.Release()
	if s.Own != nil {
		select {
		case s.Own <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	select {
	case s.Gate <- struct{}{}:
	case <-ctx.Done():
		s.releaseOwn()
		return ctx.Err()
	}
	began := time.Now()
	free := sync.OnceFunc(func() {
		<-s.Gate
		s.releaseOwn()
		if s.Share != nil {
			s.Share.ReserveN(time.Now(), int(time.Since(began).Milliseconds()))
		}
	})
	timer := time.AfterFunc(s.holdTime(), free)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = func() { timer.Stop(); free() }
	return nil
}

// holdTime returns how long the slot may be held.
func (s *Slot) holdTime() time.Duration {
	if s.Share == nil {
		return maxHold
	}
	return min(max(time.Duration(s.Share.Tokens())*time.Millisecond, leastHold), maxHold)
}

func (s *Slot) releaseOwn() {
	if s.Own != nil {
		<-s.Own
	}
}

// Release returns the slot, where one is held.
func (s *Slot) Release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.free != nil {
		s.free()
		s.free = nil
	}
}
