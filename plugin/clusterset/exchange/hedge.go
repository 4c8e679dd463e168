package exchange

import (
	"sync/atomic"
	"time"
)

// Hedging is when a query whose reply takes longer than usual is also sent to the
// next upstream. The zero value is at the 95th percentile of what replies took (p95).
type Hedging struct {
	Off bool
	// After is a delay to use in the place of what was measured, unless 0.
	After time.Duration
}

// minHedge is the shortest delay that is measured: less than that isn't noticed by
// anybody, and comes about by a busy machine alone.
const minHedge = 5 * time.Millisecond

// hedgeAfter returns how long to wait before a query is hedged, and whether it is.
func (h *Hedging) hedgeAfter(p95 time.Duration) (time.Duration, bool) {
	if h.Off || h.After > 0 {
		return h.After, !h.Off
	}
	return max(p95, minHedge), p95 > 0
}

// p95 returns that of the quickest upstream in service, 0 where none is known: where another
// one takes longer, one may hope for a reply from this one in that time.
func (c *Client) p95(now time.Time) time.Duration {
	var least time.Duration
	for _, u := range c.upstreams {
		if p95 := time.Duration(u.latency.p95.Load()); p95 > 0 && (least == 0 || p95 < least) && u.inService(now) {
			least = p95
		}
	}
	return least
}

// budget bounds how many messages there are for so many queries, so that a member
// which is slow because it has too much to do doesn't get several times as much.
type budget struct{ saved atomic.Int32 }

const (
	// A hedge costs what ten queries earn, an early retransmission what one does: 30% of
	// loss both ways takes 0.9.
	hedgePrice, retransmitPrice = 10, 1
	// budgetSize is the most that is saved up, in what a query earns.
	budgetSize = 100
)

// earn is called for every query.
func (b *budget) earn() {
	if b.saved.Load() < budgetSize {
		b.saved.Add(1)
	}
}

// spend takes the price, and reports whether there was that much.
func (b *budget) spend(price int32) bool {
	for {
		has := b.saved.Load()
		if has < price {
			return false
		}
		if b.saved.CompareAndSwap(has, has-price) {
			return true
		}
	}
}
