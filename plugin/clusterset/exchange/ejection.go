package exchange

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// missesToEject is how many queries in a row an upstream must miss: it failed,
	// or let its time pass, and another upstream answered.
	missesToEject = 5
	// An upstream is slow when half its replies take slowFactor times as long as
	// half of another's, and slowMargin more.
	slowFactor, slowMargin = 3, 10 * time.Millisecond
	// ejectFor is how long an upstream is ejected at first. It is doubled each time
	// it has to be again soon, up to ejectForMax, and made up to a quarter shorter
	// or longer, so that many servers don't come back to it at one time.
	ejectFor, ejectForMax = time.Second, time.Minute
)

// ejection is whether an upstream sits out: it is alive, its probes say, and
// still fails queries that others answer, or is slow. It is asked only when the
// others let a query down.
type ejection struct {
	misses atomic.Int32
	// until is in nanoseconds since the client was made; 0 is not at all.
	until atomic.Int64

	mu    sync.Mutex
	times int
	ended time.Time // of the last one
}

var (
	errMisses = errors.New("others answered what it didn't")
	errSlow   = errors.New("slower than the others")
)

// ejected tells whether the upstream sits out.
func (u *upstream) ejected(now time.Time) bool {
	until := u.ejection.until.Load()
	return until != 0 && int64(now.Sub(u.client.made)) < until
}

// hit is a query that the upstream answered.
func (u *upstream) hit() {
	if u.ejection.misses.Load() != 0 {
		u.ejection.misses.Store(0)
	}
}

// miss is a query that the upstream missed, and another answered.
func (u *upstream) miss(now time.Time) {
	if u.ejection.misses.Add(1) >= missesToEject {
		u.eject(now, errMisses)
	}
}

// compare ejects the upstream if it is slow. It is called when its latency was
// read.
func (u *upstream) compare(now time.Time) {
	for _, other := range u.client.upstreams {
		median := other.latency.median.Load()
		if other.inService(now) && median > 0 && u.latency.median.Load() > slowFactor*median+int64(slowMargin) {
			u.eject(now, errSlow)
			return
		}
	}
}

// inService tells whether the upstream is up and doesn't sit out.
func (u *upstream) inService(now time.Time) bool { return !u.health.down.Load() && !u.ejected(now) }

// eject has the upstream sit out for a while, unless it is the last in service.
func (u *upstream) eject(now time.Time, why error) {
	e := &u.ejection
	e.mu.Lock()
	defer e.mu.Unlock()
	e.misses.Store(0)
	if u.ejected(now) || !u.client.hasOther(u, now) {
		return
	}
	if now.Sub(e.ended) > ejectForMax {
		e.times = 0
	}
	d := min(ejectFor<<e.times, ejectForMax)
	d = d*3/4 + rand.N(d/2)
	e.times++
	e.ended = now.Add(d)
	e.until.Store(int64(e.ended.Sub(u.client.made)))
	u.latency.forget()
	u.metrics.Ejections.Inc()
	u.client.options.Metrics.Ejected.Inc()
	u.client.options.Ejected(u.address, d, why)
	u.suspect() // looks after it until it is back
}

// readmit ends the ejection when its time is over. It is true while there is one.
func (u *upstream) readmit(now time.Time) bool {
	e := &u.ejection
	until := e.until.Load()
	if until == 0 || u.ejected(now) {
		return until != 0
	}
	if !e.until.CompareAndSwap(until, 0) {
		return true
	}
	u.client.options.Metrics.Ejected.Dec()
	return false
}

func (c *Client) hasOther(u *upstream, now time.Time) bool {
	for _, other := range c.upstreams {
		if other != u && other.inService(now) {
			return true
		}
	}
	return false
}
