package member

import (
	"context"
	"math/rand/v2"
	"time"
)

// Pauses between tries. An API that comes back is to be noticed soon; one that refuses
// has to be changed first.
const (
	leastPause, mostPause     = 400 * time.Millisecond, 800 * time.Millisecond
	leastRefused, mostRefused = 2 * time.Second, 4 * time.Second
	// What was too large costs as much again.
	leastTooLarge, mostTooLarge = time.Minute, 2 * time.Minute
)

// backoff returns how long to wait after a try that ended with f.
func backoff(f *failure) time.Duration {
	switch {
	case f == nil:
	case f.reason == TooLarge:
		return between(leastTooLarge, mostTooLarge)
	case f.reason == Unauthorized, f.reason == TLS, f.reason == BadKubeconfig:
		return between(leastRefused, mostRefused)
	}
	return between(leastPause, mostPause)
}

// A try is short, because a packet that was lost while the API was cut off doesn't come
// any more: the try, the backoff, the relist's delay and the list must be within 5 s. But
// an API that is slower than that gets a longer one now and then.
const (
	tryTime     = 2 * time.Second
	slowTryTime = 8 * time.Second
	slowTryEach = 8
)

// tryTimeout returns the time that a try has after so many that failed.
func tryTimeout(failed int) time.Duration {
	if failed%slowTryEach == slowTryEach-1 {
		return slowTryTime
	}
	return tryTime
}

// jitter returns d, 20% more or less.
func jitter(d time.Duration) time.Duration { return between(d*4/5, d*6/5) }

func between(least, most time.Duration) time.Duration { return least + rand.N(most-least) }

// pause waits for d, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
