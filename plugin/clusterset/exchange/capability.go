package exchange

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// capability is something that an upstream may turn out not to support: EDNS (RFC 6891,
// section 7, has that remembered), or, of a dns:// upstream, streams. Queries do without it
// until a probe finds it.
type capability struct {
	client *Client
	// hold is how long that is remembered; then it is probed again.
	hold  time.Duration
	probe func(context.Context) error
	// until is by the client's clock; 0 is that it is supported.
	until   atomic.Int64
	probing atomic.Bool
}

// isMissing reports whether the upstream is to be asked without.
func (l *capability) isMissing(now time.Time) bool {
	until := l.until.Load()
	if until == 0 {
		return false
	}
	if l.client.clock(now) >= until {
		l.test()
	}
	return true
}

// remember has the upstream asked without from now on: it answered without, and not with.
// That may have been a packet's loss, so it is probed at once, and not remembered for longer
// than that takes.
func (l *capability) remember(now time.Time) {
	if l.until.CompareAndSwap(0, l.after(now)) {
		l.test()
	}
}

// after returns when to probe again, up to a quarter sooner or later, so that many servers
// don't do so at one time.
func (l *capability) after(now time.Time) int64 {
	return l.client.clock(now) + int64(l.hold*3/4+rand.N(l.hold/2))
}

// test probes, beside the queries, once at a time.
func (l *capability) test() {
	if l.probing.Swap(true) {
		return
	}
	l.client.spawn(func() {
		defer l.probing.Store(false)
		if l.probe(l.client.ctx) == nil {
			l.until.Store(0)
			return
		}
		l.until.Store(l.after(time.Now()))
	})
}

// recheck has what is missing probed when the upstream is asked next: it may be another
// server.
func (l *capability) recheck() {
	if until := l.until.Load(); until != 0 {
		l.until.CompareAndSwap(until, 1)
	}
}
