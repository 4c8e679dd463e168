package apiclient

import (
	"context"
	"time"

	"golang.org/x/time/rate"
)

// Whatever an API sends is work, however valid it is: it is read, and applied to the
// data. So a member has a burst, whatever number of sessions it comes in, and a rate from
// then on. What comes faster waits in the connection, and an API server ends a watch that
// falls behind: a flood of events, of lists again and again, or of garbage, takes little
// of a core.
const (
	// ObjectCost is what an object counts as beside its bytes, as it takes about as long
	// to apply as that much takes to read.
	ObjectCost = 4 << 10
	// frameCost is for a frame of HTTP/2: one of nine bytes may need an answer.
	frameCost = 1 << 10
	// workCost is for a millisecond of applying a change: an EndpointSlice's takes as long
	// as its Service has endpoints. At BytesPerSecond it is a tenth of a core.
	workCost = 40 << 10
	// burst has room for the most objects of a session.
	burst = 1 << 30
	// BytesPerSecond is 1,000 small objects. The busiest clusters change some hundred
	// EndpointSlices a second.
	BytesPerSecond = 4 << 20
	// leastWait is the shortest time that is waited.
	leastWait = 20 * time.Millisecond
)

// Limiter limits how fast one member's API is read.
type Limiter struct{ *rate.Limiter }

// NewLimiter returns a limiter with the limits above.
func NewLimiter() Limiter { return Limiter{rate.NewLimiter(BytesPerSecond, burst)} }

// take waits until there is room for that many bytes more, or until ctx ends. Short waits
// are left out: to be woken up costs more than the work.
func (l Limiter) take(ctx context.Context, bytes int) {
	wait := l.ReserveN(time.Now(), min(bytes, l.Burst())).Delay()
	if wait <= leastWait {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
