// Package coalesce lets those who want the same thing at one time wait for the first of
// them. Who is equal to whom, and what happens when that one fails, is the callers' matter:
// package exchange coalesces queries in flight, package answercache refreshes of an answer.
// Standard library only.
package coalesce

import (
	"context"
	"sync"
	"time"
)

// Call is work that its leader does once, for all who wait for it. The zero value is one
// that is under way. Finish is the leader's, the other methods may be called by all at the
// same time.
type Call[V any] struct {
	mu       sync.Mutex
	finished bool
	done     chan struct{} // closed at the end, nil while nobody waits
	value    V
}

// Finish ends the call with what it brought. It is called once.
func (c *Call[V]) Finish(v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.value, c.finished = v, true
	if c.done != nil {
		close(c.done)
	}
}

// Wait waits for the end, and returns what the call brought, which all who wait share. The
// error is the context's, or context.DeadlineExceeded when it isn't over at that time.
func (c *Call[V]) Wait(ctx context.Context, until time.Time) (V, error) {
	done, finished := c.join()
	if finished {
		return c.value, nil
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	var err error
	select {
	case <-done:
		return c.value, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = context.DeadlineExceeded
	}
	var none V
	return none, err
}

func (c *Call[V]) join() (done <-chan struct{}, finished bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil && !c.finished {
		c.done = make(chan struct{})
	}
	return c.done, c.finished
}
