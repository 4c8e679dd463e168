package exchange

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// probesToDown is how many probes in a row must fail: one may be lost.
	probesToDown = 2
	// probePause and probePauseMax are from the start of a probe to the next one's,
	// doubled each time: an upstream that is back is asked again within 2 seconds,
	// and one that isn't gets a packet a second.
	probePause, probePauseMax = 250 * time.Millisecond, time.Second
)

// health is whether an upstream answers. Queries only raise a suspicion, when
// one fails or is late; a probe settles it. So an upstream that is slow, or
// says SERVFAIL for one name, isn't taken for dead, and a dead one is known
// without a query waiting for it. Nothing is probed that isn't suspected.
type health struct {
	down atomic.Bool
	// suspected is set by queries, and looked at by the prober, which runs while
	// probing is set.
	suspected, probing atomic.Bool
	// unreachable is set with a suspicion that the kernel or a refused port gave:
	// as good as a failed probe. (Probes alone might miss it: Linux sends a peer
	// one ICMP error a second.)
	unreachable atomic.Bool

	// probed is when the last probe began that failed, answered when a query was last
	// answered, give or take answeredStep; in nanoseconds since the client was made.
	probed, answered atomic.Int64
	// hurry ends the prober's pause.
	hurry chan struct{}

	mu  sync.Mutex
	err error
}

// answeredStep spares most answers a write that all cores would have to hear of.
const answeredStep = 10 * time.Millisecond

// answers takes in that the upstream has answered a query, which is as good as a
// probe's answer. If it is down, it was that query's last hope, and is back.
func (u *upstream) answers(now time.Time) {
	at, back := int64(now.Sub(u.client.made)), u.health.down.Load()
	if back || at-u.health.answered.Load() > int64(answeredStep) {
		u.health.answered.Store(at)
	}
	if back {
		u.setDown(nil)
	}
}

// answeredSince tells whether the upstream has answered a query since then.
func (u *upstream) answeredSince(then time.Time) bool {
	return u.health.answered.Load() >= int64(then.Sub(u.client.made))
}

// maybeBack reports whether the upstream is up, or down by a verdict from before then, in
// nanoseconds since the client was made. It may come back at any moment: one look.
func (u *upstream) maybeBack(then int64) bool {
	return !u.health.down.Load() || u.health.probed.Load() < then
}

func (h *health) cause() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		return errNoReply
	}
	return h.err
}

// suspect has the upstream probed: now, or again where that is under way.
func (u *upstream) suspect() {
	u.health.suspected.Store(true)
	if u.health.probing.Swap(true) {
		return
	}
	u.client.spawn(func() {
		u.probe(u.client.ctx)
		u.health.probing.Store(false)
		if u.health.suspected.Load() { // by a query that saw it still probing
			u.suspect()
		}
	})
}

// probe asks until the upstream answers, is not ejected, and nobody suspects it
// any more, or the client is closed.
func (u *upstream) probe(ctx context.Context) {
	pause, failed := probePause, 0
	for ctx.Err() == nil {
		u.health.suspected.Store(false)
		if u.health.unreachable.Swap(false) {
			failed++
		}
		start := time.Now()
		err := u.ping(ctx)
		if u.answeredSince(start) {
			err = nil // the probe got lost
		}
		if err == nil {
			failed, pause = 0, probePause
			u.setDown(nil)
		} else if failed++; failed >= probesToDown && ctx.Err() == nil {
			u.health.probed.Store(int64(start.Sub(u.client.made)))
			u.setDown(err)
		}
		ejected := u.readmit(time.Now())
		if ejected {
			pause = probePauseMax
		}
		u.pause(ctx, pause/2+rand.N(pause)-time.Since(start)) // a probe that was lost costs no more than one that failed
		if err == nil && !ejected && !u.health.suspected.Load() {
			return
		}
		if err != nil {
			pause = min(2*pause, probePauseMax)
		}
	}
}

// pause waits, unless the upstream is needed.
func (u *upstream) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-u.health.hurry:
	case <-timer.C:
	}
}

// look has the upstream probed now, if it is down.
func (u *upstream) look() {
	if !u.health.down.Load() {
		return
	}
	select {
	case u.health.hurry <- struct{}{}:
	default: // it is, or was just now
	}
}

func (u *upstream) setDown(err error) {
	u.health.mu.Lock()
	u.health.err = err
	u.health.mu.Unlock()
	if u.health.down.Swap(err != nil) == (err != nil) {
		return
	}
	change := 1.0
	if err != nil {
		change = -1
		u.fail(err) // what is in flight would only wait out its time
		u.client.lookAtOthers(u)
	} else {
		u.edns.doubt()
		u.streams.doubt()
	}
	u.client.options.Metrics.Up.Add(change)
	u.client.options.Metrics.Down.Add(-change)
	if err != nil {
		err = words{err}
	}
	u.client.options.Changed(u.address, err)
}
