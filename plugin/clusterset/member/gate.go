package member

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxHold is how long a list may keep others from beginning. One that takes
// longer goes on beside the next: a slow API must not hold up the rest.
const maxHold = 5 * time.Second

// All lists of a member together hold places for shareBurst at once, and then for
// shareEach of the time: who makes its lists last, and asks for the next place at once,
// has leastHold. A list of 10,000 objects takes less than a second.
const (
	shareBurst = 3 * maxHold
	shareEach  = 0.25
	leastHold  = maxHold / 20
)

// newShare is a member's share, in milliseconds.
func newShare() *rate.Limiter {
	return rate.NewLimiter(shareEach*1000, int(shareBurst.Milliseconds()))
}

// place is a kind's place at the gate: held while its list is under way. A list's
// garbage is several times what is kept of it, so too many at a time cost memory
// (kubernetes/kubernetes#139117).
type place struct {
	gate chan struct{}
	// own bounds those of one member, which leave others a place: an API may take
	// all of maxHold for each of its lists, again and again. nil is no bound.
	own chan struct{}
	// share is the member's, nil for as long as maxHold.
	share *rate.Limiter

	mu    sync.Mutex
	leave func() // nil when no place is held
}

// enter waits for a place. It gives up with ctx.
func (p *place) enter(ctx context.Context) error {
	p.exit()
	if p.own != nil {
		select {
		case p.own <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	select {
	case p.gate <- struct{}{}:
	case <-ctx.Done():
		p.disown()
		return ctx.Err()
	}
	began := time.Now()
	leave := sync.OnceFunc(func() {
		<-p.gate
		p.disown()
		if p.share != nil {
			p.share.ReserveN(time.Now(), int(time.Since(began).Milliseconds()))
		}
	})
	timer := time.AfterFunc(p.hold(), leave)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leave = func() { timer.Stop(); leave() }
	return nil
}

// hold is for how long a place is held at the most.
func (p *place) hold() time.Duration {
	if p.share == nil {
		return maxHold
	}
	return min(max(time.Duration(p.share.Tokens())*time.Millisecond, leastHold), maxHold)
}

func (p *place) disown() {
	if p.own != nil {
		<-p.own
	}
}

// exit gives the place back, where there is one.
func (p *place) exit() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.leave != nil {
		p.leave()
		p.leave = nil
	}
}
