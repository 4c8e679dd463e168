// Package backoff is how long a member's tries, and the pauses between them, take.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
)

// Pauses between tries. An API that comes back is to be noticed soon; one that refuses
// has to be changed first.
const (
	leastPause, mostPause     = 400 * time.Millisecond, 800 * time.Millisecond
	leastRefused, mostRefused = 2 * time.Second, 4 * time.Second
	// What was too large costs as much again.
	leastTooLarge, mostTooLarge = time.Minute, 2 * time.Minute
)

// After returns how long to wait after a try that ended with f, nil where it just ended.
func After(f *failure.Failure) time.Duration {
	switch {
	case f == nil:
	case f.Reason == failure.TooLarge:
		return Between(leastTooLarge, mostTooLarge)
	case f.Reason == failure.Unauthorized, f.Reason == failure.TLS, f.Reason == failure.BadKubeconfig:
		return Between(leastRefused, mostRefused)
	}
	return Between(leastPause, mostPause)
}

// A try is short, because a packet that was lost while the API was cut off doesn't come
// any more: the try, the backoff, the relist's delay and the list must be within 5 s. But
// an API that is slower than that gets a longer one now and then.
const (
	tryTime     = 2 * time.Second
	slowTryTime = 8 * time.Second
	slowTryEach = 8
)

// TryTimeout returns the time that a try has after so many that failed.
func TryTimeout(failed int) time.Duration {
	if failed%slowTryEach == slowTryEach-1 {
		return slowTryTime
	}
	return tryTime
}

// Jitter returns d, 20% more or less.
func Jitter(d time.Duration) time.Duration { return Between(d*4/5, d*6/5) }

// Between returns any time from least to most.
func Between(least, most time.Duration) time.Duration { return least + rand.N(most-least) }

// Pause waits for d, or for the end of ctx.
func Pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Growing are pauses that double, from Least to Most, until something succeeds.
type Growing struct {
	Least, Most time.Duration
	next        time.Duration
}

// Next returns the next pause, 20% more or less.
func (g *Growing) Next() time.Duration {
	pause := max(g.next, g.Least)
	g.next = min(2*pause, g.Most)
	return Jitter(pause)
}

// Reset makes the next pause the least.
func (g *Growing) Reset() { g.next = 0 }
