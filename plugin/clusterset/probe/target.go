package probe

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// target is what probes one URL, for all of its users.
type target struct {
	key     key
	checker *checker
	dead    atomic.Bool
	status  atomic.Pointer[status.Gateway]
	cancel  context.CancelFunc
	done    chan struct{} // closed when run has ended

	mu    sync.Mutex // held while Changed is called
	users map[*Probe]struct{}
	err   error // of the last probe
}

func startTarget(k key, dial dialFunc) *target {
	ctx, cancel := context.WithCancel(context.Background())
	t := &target{key: k, checker: newChecker(k, dial), cancel: cancel, done: make(chan struct{}), users: make(map[*Probe]struct{})}
	t.status.Store(&status.Gateway{URL: t.checker.shown, Alive: true, Since: time.Now()})
	go t.run(ctx)
	return t
}

// Close implements registry.Value.
func (t *target) Close() {
	t.cancel()
	<-t.done
}

func (t *target) add(p *Probe) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.users[p] = struct{}{}
	if t.dead.Load() {
		p.notify(false, t.err)
	}
}

func (t *target) remove(p *Probe) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.users, p)
}

// run probes until ctx ends. Pauses are from start to start: a probe that hangs makes the next
// one no later. The first is spread over an interval, as many members begin at once.
func (t *target) run(ctx context.Context) {
	defer close(t.done)
	interval := t.key.interval
	for wait := rand.N(interval); pause(ctx, wait); {
		began := time.Now()
		err := t.checker.check(ctx)
		if ctx.Err() != nil {
			return
		}
		t.judge(err)
		switch {
		case t.dead.Load():
			interval = min(2*interval, t.key.backoff)
		default:
			interval = t.key.interval
		}
		wait = jitter(interval) - time.Since(began)
	}
}

// judge counts a probe's outcome. One that failed for want of something on this machine says
// nothing about the gateway: nothing changes but the error.
func (t *target) judge(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err = err
	next := *t.status.Load()
	next.Error = ""
	switch {
	case err == nil:
		next.Failures = 0
	case !errors.Is(err, errResources):
		next.Failures++
	}
	if err != nil {
		next.Error = err.Error()
	}
	next.Alive = next.Failures < t.key.threshold
	changed := next.Alive == t.dead.Load()
	if changed {
		next.Since = time.Now()
	}
	t.status.Store(&next)
	t.dead.Store(!next.Alive)
	if !changed {
		return
	}
	for p := range t.users {
		p.notify(next.Alive, err)
	}
}

// jitter returns d, or up to a fifth more: many members' probes don't stay together.
func jitter(d time.Duration) time.Duration { return d + rand.N(d/5+1) }

// pause waits for d, and reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
