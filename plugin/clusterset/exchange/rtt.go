package exchange

import (
	"sync/atomic"
	"time"
)

// rttLife is how long a measured round-trip time is used before it is measured anew.
const rttLife = 10 * time.Second

// rtt is the round-trip time to the member's nearest upstream, by probes: what queries take
// depends on what is asked.
type rtt struct {
	// measured is when it was, by the client's clock; 0 is never.
	measured  atomic.Int64
	measuring atomic.Bool
	// smoothed is as in RFC 6298, section 2, and reported what RTT returns, in nanoseconds.
	smoothed, reported atomic.Int64
}

// RTT returns the round-trip time to the member's nearest upstream, 0 where it isn't known
// (yet). It is measured while it is asked for, every ten seconds.
func (c *Client) RTT() time.Duration {
	last := c.rtt.measured.Load()
	if last == 0 || c.clock(time.Now())-last > int64(rttLife) {
		c.measureRTT()
	}
	return time.Duration(c.rtt.reported.Load())
}

// measureRTT measures it beside the queries.
func (c *Client) measureRTT() {
	if c.rtt.measuring.Swap(true) {
		return
	}
	c.spawn(func() {
		defer c.rtt.measuring.Store(false)
		least := time.Duration(0)
		for _, u := range c.upstreams {
			start := time.Now()
			if u.health.down.Load() || u.probe(c.ctx) != nil {
				continue
			}
			if took := time.Since(start); least == 0 || took < least {
				least = took
			}
		}
		if least > 0 {
			c.rtt.add(int64(least))
		}
		c.rtt.measured.Store(max(1, c.clock(time.Now())))
	})
}

// add adds a sample. What is reported changes with more than a quarter, so that members which
// are as near as another don't take turns.
func (r *rtt) add(sample int64) {
	smoothed := r.smoothed.Load()
	if smoothed == 0 {
		smoothed = sample
	}
	smoothed += (sample - smoothed) / 8
	r.smoothed.Store(smoothed)
	if reported := r.reported.Load(); 4*smoothed > 5*reported || 4*smoothed < 3*reported {
		r.reported.Store(smoothed)
	}
}
