package exchange

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
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
	u    *upstream
	down atomic.Bool
	// suspected is set by queries, and read by the prober, which runs while
	// probing is set.
	suspected, probing atomic.Bool
	// unreachable is set with a suspicion that the kernel or a refused port gave:
	// as good as a failed probe. (Probes alone might miss it: Linux sends a peer
	// one ICMP error a second.)
	unreachable atomic.Bool

	// probed is when the last probe began that failed, answered when a query was last
	// answered, give or take answeredStep: by the client's clock.
	probed, answered atomic.Int64
	// hurry ends the prober's pause.
	hurry chan struct{}

	mu    sync.Mutex
	err   error     // why it is down
	since time.Time // when it went down, or came back
}

// answeredStep spares most answers a write that all cores would have to see.
const answeredStep = 10 * time.Millisecond

// answers counts a query that the upstream has answered, which is as good as a
// probe's answer. If it is down, it was that query's last resort, and is back.
func (h *health) answers(now time.Time) {
	at, back := h.u.client.clock(now), h.down.Load()
	if back || at-h.answered.Load() > int64(answeredStep) {
		h.answered.Store(at)
	}
	if back {
		h.set(nil)
	}
}

// answeredSince reports whether the upstream has answered a query since then.
func (h *health) answeredSince(then time.Time) bool {
	return h.answered.Load() >= h.u.client.clock(then)
}

// maybeBack reports whether the upstream is up, or down by a probe from before then, by the
// client's clock. It may come back at any moment: one read.
func (h *health) maybeBack(then int64) bool { return !h.down.Load() || h.probed.Load() < then }

// cause returns why the upstream is down.
func (h *health) cause() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.err == nil {
		return transport.ErrNoReply
	}
	return h.err
}

// suspect has the upstream probed: now, or again where that is under way.
func (h *health) suspect() {
	h.suspected.Store(true)
	if h.probing.Swap(true) {
		return
	}
	h.u.client.spawn(func() {
		h.probe(h.u.client.ctx)
		h.probing.Store(false)
		if h.suspected.Load() { // by a query that saw it still probing
			h.suspect()
		}
	})
}

// probe asks until the upstream answers, is not ejected, and nobody suspects it
// any more, or the client is closed.
func (h *health) probe(ctx context.Context) {
	pause, failed := probePause, 0
	for ctx.Err() == nil {
		h.suspected.Store(false)
		if h.unreachable.Swap(false) {
			failed++
		}
		start := time.Now()
		err := h.u.probe(ctx)
		if h.answeredSince(start) {
			err = nil // the probe got lost
		}
		if err == nil {
			failed, pause = 0, probePause
			h.set(nil)
		} else if failed++; failed >= probesToDown && ctx.Err() == nil {
			h.probed.Store(h.u.client.clock(start))
			h.set(err)
		}
		ejected := h.u.ejection.readmit(time.Now())
		if ejected {
			pause = probePauseMax
		}
		h.pause(ctx, pause/2+rand.N(pause)-time.Since(start)) // a probe that was lost costs no more than one that failed
		if err == nil && !ejected && !h.suspected.Load() {
			return
		}
		if err != nil {
			pause = min(2*pause, probePauseMax)
		}
	}
}

// pause waits, unless the upstream is needed.
func (h *health) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-h.hurry:
	case <-timer.C:
	}
}

// probeNow has the upstream probed at once, if it is down.
func (h *health) probeNow() {
	if !h.down.Load() {
		return
	}
	select {
	case h.hurry <- struct{}{}:
	default: // it is, or was just now
	}
}

// set sets whether the upstream is down, as err isn't nil.
func (h *health) set(err error) {
	c := h.u.client
	h.mu.Lock()
	h.err = err
	changed := h.down.Swap(err != nil) != (err != nil)
	if changed {
		h.since = time.Now()
	}
	h.mu.Unlock()
	if !changed {
		return
	}
	if err != nil {
		h.u.fail(err) // what is in flight would only wait out its time
		c.probeOthers(h.u)
	} else {
		h.u.edns.recheck()
		h.u.streaming.recheck()
	}
	if err != nil {
		err = quotedError{err}
	}
	c.options.Changed(h.u.address, err)
}
