package member

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestGate(t *testing.T) {
	gate := make(chan struct{}, 1)
	one, other := &place{gate: gate}, &place{gate: gate}
	if err := one.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := one.enter(t.Context()); err != nil { // again, without an exit between
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := other.enter(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("entered a full gate: %v", err)
	}
	one.exit()
	one.exit()
	if err := other.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	other.exit()
	if len(gate) != 0 {
		t.Error("a place is still held")
	}
}

// TestGateShared: a member whose lists hang leaves others a place.
func TestGateShared(t *testing.T) {
	gate, own := make(chan struct{}, 2), make(chan struct{}, 1)
	first, second, other := &place{gate: gate, own: own}, &place{gate: gate, own: own}, &place{gate: gate}
	if err := first.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := second.enter(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a second list of the same member: %v", err)
	}
	if err := other.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	first.exit()
	if err := second.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	third := &place{gate: gate, own: make(chan struct{}, 1)}
	if err := third.enter(ctx); !errors.Is(err, context.Canceled) || len(third.own) != 0 {
		t.Errorf("entered a full gate: %v, %d", err, len(third.own))
	}
	second.exit()
	other.exit()
	if len(gate)+len(own) != 0 {
		t.Error("a place is still held")
	}
}

// TestGateOfTwo: two members whose lists take their time, again and again, fill all
// places together, and soon for short whiles only.
func TestGateOfTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{}, 4)
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		for range 2 {
			own, share := make(chan struct{}, 3), newShare()
			for range 4 {
				running.Go(func() {
					p := &place{gate: gate, own: own, share: share}
					for p.enter(ctx) == nil {
						pause(ctx, maxHold-time.Millisecond)
					}
					p.exit()
				})
			}
		}
		time.Sleep(time.Minute)
		good := &place{gate: gate, share: newShare()}
		for range 100 {
			began := time.Now()
			if err := good.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
			if waited := time.Since(began); waited > time.Second {
				t.Errorf("a list waited for %v", waited)
			}
			time.Sleep(100 * time.Millisecond)
			good.exit()
			time.Sleep(time.Second)
		}
		cancel()
		running.Wait()
		if len(gate) != 0 {
			t.Error("a place is still held")
		}
	})
}

// TestHungLists: an API whose lists all hang doesn't hold up those of another.
func TestHungLists(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	strange := make(map[string]http.HandlerFunc)
	for _, path := range []string{servicesPath, slicesPath, listPath, exportsPath} {
		strange[path], strange[path+"?watch"] = hang, hang
	}
	bad, good := startAPI(t, true, strange), startAPI(t, true, nil)
	hung, other := startMember(t), startMember(t)
	other.options.Gate = hung.options.Gate
	hung.SetCredentials(bad.credentials(), nil)
	hung.until("lists", func() bool { return len(hung.options.Gate) >= cap(hung.options.Gate)-1 })
	other.SetCredentials(good.credentials(), nil)
	<-other.Synced()
	if most := cap(hung.lists); most >= cap(hung.options.Gate) {
		t.Errorf("one member may have %d places: all", most)
	}
}
