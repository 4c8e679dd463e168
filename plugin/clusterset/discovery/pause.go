package discovery

import (
	"context"
	"time"
)

// idle is how many times as long as a change was worked on its source then pauses: a
// document may take seconds, and whoever writes it all the time would have a processor.
const idle = 4

// sleep returns after d, or when ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
