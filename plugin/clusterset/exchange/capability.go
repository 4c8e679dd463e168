package exchange

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// lack is something that an upstream doesn't take, as it turned out: EDNS (RFC 6891,
// section 7, has that remembered), or, of a dns:// upstream, streams. Queries do without,
// until a test beside them finds that it does.
type lack struct {
	// hold is until when that is believed; then it is tested again.
	hold time.Duration
	test func(context.Context) error
	// until is in nanoseconds since the client was made; 0 is that nothing is lacking.
	until   atomic.Int64
	testing atomic.Bool
}

// lacks reports whether the upstream is to be asked without.
func (u *upstream) lacks(l *lack, now time.Time) bool {
	until := l.until.Load()
	if until == 0 {
		return false
	}
	if int64(now.Sub(u.client.made)) >= until {
		u.examine(l)
	}
	return true
}

// found takes in that the upstream answered without, and not with. That may have been a
// packet's loss, so it is tested at once, and not believed for longer than that takes.
func (u *upstream) found(l *lack, now time.Time) {
	if l.until.CompareAndSwap(0, u.after(l, now)) {
		u.examine(l)
	}
}

// after is when to test again, up to a quarter sooner or later, so that many servers
// don't do so at one time.
func (u *upstream) after(l *lack, now time.Time) int64 {
	return int64(now.Sub(u.client.made) + l.hold*3/4 + rand.N(l.hold/2))
}

// examine tests, beside the queries, once at a time.
func (u *upstream) examine(l *lack) {
	if l.testing.Swap(true) {
		return
	}
	u.client.spawn(func() {
		defer l.testing.Store(false)
		if l.test(u.client.ctx) == nil {
			l.until.Store(0)
			return
		}
		l.until.Store(u.after(l, time.Now()))
	})
}

// doubt has what the upstream lacks tested when it is asked next: it may be another
// server.
func (l *lack) doubt() {
	if until := l.until.Load(); until != 0 {
		l.until.CompareAndSwap(until, 1)
	}
}
