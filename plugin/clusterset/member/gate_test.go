package member

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
)

func TestGate(t *testing.T) {
	gate := make(chan struct{}, 1)
	one, other := &slot{gate: gate}, &slot{gate: gate}
	if err := one.acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := one.acquire(t.Context()); err != nil { // again, without a release between
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := other.acquire(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("entered a full gate: %v", err)
	}
	one.release()
	one.release()
	if err := other.acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	other.release()
	if len(gate) != 0 {
		t.Error("a slot is still held")
	}
}

// TestGateShared: a member whose lists hang leaves others a slot.
func TestGateShared(t *testing.T) {
	gate, own := make(chan struct{}, 2), make(chan struct{}, 1)
	first, second, other := &slot{gate: gate, own: own}, &slot{gate: gate, own: own}, &slot{gate: gate}
	if err := first.acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := second.acquire(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a second list of the same member: %v", err)
	}
	if err := other.acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	first.release()
	if err := second.acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	third := &slot{gate: gate, own: make(chan struct{}, 1)}
	if err := third.acquire(ctx); !errors.Is(err, context.Canceled) || len(third.own) != 0 {
		t.Errorf("entered a full gate: %v, %d", err, len(third.own))
	}
	second.release()
	other.release()
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
			own, share := make(chan struct{}, 3), newShare()
			for range 4 {
				running.Go(func() {
					p := &slot{gate: gate, own: own, share: share}
					for p.acquire(ctx) == nil {
						pause(ctx, maxHold-time.Millisecond)
					}
					p.release()
				})
			}
		}
		time.Sleep(time.Minute)
		good := &slot{gate: gate, share: newShare()}
		for range 100 {
			began := time.Now()
			if err := good.acquire(t.Context()); err != nil {
				t.Fatal(err)
			}
			if waited := time.Since(began); waited > time.Second {
				t.Errorf("a list waited for %v", waited)
			}
			time.Sleep(100 * time.Millisecond)
			good.release()
			time.Sleep(time.Second)
		}
		cancel()
		running.Wait()
		if len(gate) != 0 {
			t.Error("a slot is still held")
		}
	})
}

// TestHungLists: an API whose lists all hang doesn't hold up those of another.
func TestHungLists(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	strange := make(map[string]http.HandlerFunc)
	for _, path := range []string{apitest.ServicesPath, apitest.SlicesPath, apitest.NamespacesPath, apitest.ExportsPath} {
		strange[path], strange[path+"?watch"] = hang, hang
	}
	bad, good := apitest.Start(t, true, strange), apitest.Start(t, true, nil)
	hung, other := startMember(t), startMember(t)
	other.options.Gate = hung.options.Gate
	hung.SetCredentials(from(bad), nil)
	hung.until("lists", func() bool { return len(hung.options.Gate) >= cap(hung.options.Gate)-1 })
	other.SetCredentials(from(good), nil)
	<-other.Synced()
	if most := cap(hung.lists); most >= cap(hung.options.Gate) {
		t.Errorf("one member may have %d slots: all", most)
	}
}
