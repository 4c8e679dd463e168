package gate

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestGate(t *testing.T) {
	gate := make(chan struct{}, 1)
	one, other := &Slot{Gate: gate}, &Slot{Gate: gate}
	if err := one.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := one.Acquire(t.Context()); err != nil { // again, without a release between
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := other.Acquire(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("entered a full gate: %v", err)
	}
	one.Release()
	one.Release()
	if err := other.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	other.Release()
	if len(gate) != 0 {
		t.Error("a slot is still held")
	}
}

// TestGateShared: a member whose lists hang leaves others a slot.
func TestGateShared(t *testing.T) {
	gate, own := make(chan struct{}, 2), make(chan struct{}, 1)
	first, second, other := &Slot{Gate: gate, Own: own}, &Slot{Gate: gate, Own: own}, &Slot{Gate: gate}
	if err := first.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := second.Acquire(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a second list of the same member: %v", err)
	}
	if err := other.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	first.Release()
	if err := second.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	third := &Slot{Gate: gate, Own: make(chan struct{}, 1)}
	if err := third.Acquire(ctx); !errors.Is(err, context.Canceled) || len(third.Own) != 0 {
		t.Errorf("entered a full gate: %v, %d", err, len(third.Own))
	}
	second.Release()
	other.Release()
	if len(gate)+len(own) != 0 {
		t.Error("a slot is still held")
	}
}

// TestGateOfTwo: two members whose lists take their time, again and again, fill all
// slots together, and soon for short whiles only.
func TestGateOfTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{}, 4)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for range 2 {
			own, share := make(chan struct{}, 3), NewShare()
			for range 4 {
				running.Go(func() {
					p := &Slot{Gate: gate, Own: own, Share: share}
					for p.Acquire(ctx) == nil {
						select {
						case <-time.After(maxHold - time.Millisecond):
						case <-ctx.Done():
						}
					}
					p.Release()
				})
			}
		}
		time.Sleep(time.Minute)
		good := &Slot{Gate: gate, Share: NewShare()}
		for range 100 {
			began := time.Now()
			if err := good.Acquire(t.Context()); err != nil {
				t.Fatal(err)
			}
			if waited := time.Since(began); waited > time.Second {
				t.Errorf("a list waited for %v", waited)
			}
			time.Sleep(100 * time.Millisecond)
			good.Release()
			time.Sleep(time.Second)
		}
		cancel()
		running.Wait()
		if len(gate) != 0 {
			t.Error("a slot is still held")
		}
	})
}
