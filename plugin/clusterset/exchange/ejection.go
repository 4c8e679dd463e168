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

// ejection is whether an upstream is ejected: it is alive, its probes say, and
// still fails queries that others answer, or is slow. It is asked only when the
// others let a query down.
type ejection struct {
	u      *upstream
	misses atomic.Int32
	// until is by the client's clock; 0 is not at all.
	until atomic.Int64

	mu    sync.Mutex
	times int
	// since and ended are when the last one began and ended, why is its reason.
	since, ended time.Time
	why          error
}

var (
	errMisses = errors.New("others answered what it didn't")
	errSlow   = errors.New("slower than the others")
)

// active reports whether the upstream is ejected.
func (e *ejection) active(now time.Time) bool {
	until := e.until.Load()
	return until != 0 && e.u.client.clock(now) < until
}

// hit counts a query that the upstream answered.
func (e *ejection) hit() {
	if e.misses.Load() != 0 {
		e.misses.Store(0)
	}
}

// miss counts a query that the upstream missed, and another answered.
func (e *ejection) miss(now time.Time) {
	if e.misses.Add(1) >= missesToEject {
		e.eject(now, errMisses)
	}
}

// compare ejects the upstream if it is slow. It is called when its latency was
// read.
func (e *ejection) compare(now time.Time) {
	for _, other := range e.u.client.upstreams {
		median := other.latency.median.Load()
		if other.inService(now) && median > 0 && e.u.latency.median.Load() > slowFactor*median+int64(slowMargin) {
			e.eject(now, errSlow)
			return
		}
	}
}

// eject ejects the upstream for a while, unless it is the last in service.
func (e *ejection) eject(now time.Time, why error) {
	c := e.u.client
	e.mu.Lock()
	defer e.mu.Unlock()
	e.misses.Store(0)
	if e.active(now) || !c.hasOther(e.u, now) {
		return
	}
	if now.Sub(e.ended) > ejectForMax {
		e.times = 0
	}
	d := min(ejectFor<<e.times, ejectForMax)
	d = d*3/4 + rand.N(d/2)
	e.times++
	e.since, e.ended, e.why = now, now.Add(d), why
	e.until.Store(c.clock(e.ended))
	e.u.latency.forget()
	e.u.metrics.Ejections.Inc()
	c.options.Ejected(e.u.address, d, why)
	e.u.health.suspect() // probes it until it is back
}

// readmit ends the ejection when its time is over. It reports whether there still is one.
func (e *ejection) readmit(now time.Time) bool {
	until := e.until.Load()
	if until == 0 || e.active(now) {
		return until != 0
	}
	return !e.until.CompareAndSwap(until, 0)
}
