package member

import (
	"context"
	"sync"
	"time"
)

// maxHold is how long a list may keep others from beginning. One that takes
// longer goes on beside the next: a slow API must not hold up the rest.
const maxHold = 5 * time.Second

// place is a kind's place at the gate: held while its list is under way. A list's
// garbage is several times what is kept of it, so too many at a time cost memory
// (kubernetes/kubernetes#139117).
type place struct {
	gate chan struct{}
	// own bounds those of one member, which leave others a place: an API may take
	// all of maxHold for each of its lists, again and again. nil is no bound.
	own chan struct{}

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
	leave := sync.OnceFunc(func() {
		<-p.gate
		p.disown()
	})
	timer := time.AfterFunc(maxHold, leave)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leave = func() { timer.Stop(); leave() }
	return nil
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
