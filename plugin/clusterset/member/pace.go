package member

import (
	"context"
	"time"

	"golang.org/x/time/rate"
)

// What an API brings is work, however valid it is: it is read, and what it changes is
// taken up. So a member has room for so much at once, whatever number of sessions it
// comes in, and for so much a second from then on. What comes faster waits in the
// connection (an API server ends a watch that falls behind): a flood of events, of lists
// again and again, or of bytes that are none, takes little of a core.
const (
	// objectCost is what an object counts as beside its bytes: to take it up takes about
	// as long as to read that much.
	objectCost = 4 << 10
	// frameCost is for a frame of HTTP/2: one of nine bytes may want an answer.
	frameCost = 1 << 10
	// workCost is for a millisecond that a change takes to be taken up: that of one slice
	// is as much as its Service has endpoints. At paceEach it is a tenth of a core.
	workCost = 40 << 10
	// paceBurst has room for maxObjects.
	paceBurst = 1 << 30
	// paceEach is for a second: 1,000 small objects. The busiest clusters change some
	// hundred EndpointSlices a second.
	paceEach = 4 << 20
	// paceLeast is the least that is waited.
	paceLeast = 20 * time.Millisecond
)

// pace is a member's.
type pace struct{ *rate.Limiter }

func newPace() pace { return pace{rate.NewLimiter(paceEach, paceBurst)} }

// worked is take for what has taken so long.
func (p pace) worked(ctx context.Context, d time.Duration) {
	p.take(ctx, int(d*workCost/time.Millisecond))
}

// take waits until there is room for that many bytes more, or until ctx ends. It doesn't
// wait for what is soon there: to be woken up costs more than the work.
func (p pace) take(ctx context.Context, bytes int) {
	if wait := p.ReserveN(time.Now(), min(bytes, p.Burst())).Delay(); wait > paceLeast {
		pause(ctx, wait)
	}
}
