package stacks

import (
	"runtime"
	"testing"
	"time"
	"unsafe"
)

// TestGrow says when Go no longer begins goroutines with stacks of the average size: then this
// package has no use.
func TestGrow(t *testing.T) {
	if !moves() {
		t.Error("without it, no stack is too small for 6 KiB")
	}
	Grow()
	moves() // may be one that ended, with the stack it had
	for range 10 {
		if moves() {
			t.Error("the stack of a new goroutine was too small for 6 KiB")
		}
	}
}

// TestAdjust: their number follows that of all goroutines.
func TestAdjust(t *testing.T) {
	p := &parked{end: make(chan struct{})}
	p.adjust()
	few := p.n
	wait := make(chan struct{})
	for range 400 {
		go func() { <-wait }()
	}
	p.adjust()
	if many := p.n; few < least || many < 300 || many > most {
		t.Errorf("%d are parked, and with 400 more goroutines %d", few, many)
	}
	close(wait)
	for runtime.NumGoroutine()-p.n > 100 {
		time.Sleep(time.Millisecond)
	}
	if p.adjust(); p.n > least+50 {
		t.Errorf("%d are parked when those are gone", p.n)
	}
}

// moves reports whether a new goroutine's stack is moved when 6 KiB of it are used.
func moves() bool {
	moved := make(chan bool)
	go func() {
		var here byte
		before := uintptr(unsafe.Pointer(&here))
		deep()
		moved <- before != uintptr(unsafe.Pointer(&here))
	}()
	return <-moved
}

//go:noinline
func deep() {
	var use [6 << 10]byte
	some(&use)
}

//go:noinline
func some(use *[6 << 10]byte) { use[0] = 1 }
