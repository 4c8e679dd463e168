package member

import (
	"context"
	"errors"
	"testing"
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
