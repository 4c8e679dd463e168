package coalesce

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestCall: all who wait get what the leader brings, also those who come late.
func TestCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Call[int]
		var waiting sync.WaitGroup
		wait := func() {
			if v, err := c.Wait(t.Context(), time.Now().Add(time.Minute)); v != 7 || err != nil {
				t.Errorf("%d, %v", v, err)
			}
		}
		for range 10 {
			waiting.Go(wait)
		}
		synctest.Wait()
		c.Finish(7)
		waiting.Wait()
		wait()
		if _, err := c.Wait(t.Context(), time.Now().Add(-time.Second)); err != nil {
			t.Errorf("over, and no time left: %v", err)
		}
	})
}

// TestCallGivenUp: who waits no longer than until its time, or its context's end, leaves
// the others waiting.
func TestCallGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Call[int]
		start := time.Now()
		if _, err := c.Wait(t.Context(), start.Add(time.Second)); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithCancel(t.Context())
		var waiting sync.WaitGroup
		waiting.Go(func() {
			if _, err := c.Wait(ctx, start.Add(time.Minute)); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		waiting.Go(func() {
			if v, err := c.Wait(t.Context(), start.Add(time.Minute)); v != 7 || err != nil {
				t.Errorf("%d, %v", v, err)
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		c.Finish(7)
		waiting.Wait()
	})
}
