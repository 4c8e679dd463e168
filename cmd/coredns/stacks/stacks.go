// Package stacks has new goroutines begin with stacks that a query fits into.
//
// CoreDNS answers each query in a goroutine of its own. Such a goroutine begins with 2 or 4 KiB of
// stack; behind some plugins a query takes more, so that its stack is copied into a larger one
// deep in the call, which was a fifth of all CPU. Go gives a new goroutine the average of the stacks that
// it scanned at the last collection, rounded up to a power of two (adaptivestackstart). So some
// goroutines are parked here that use nearly 8 KiB each, and the average is above 4. It can't get
// above 8.
package stacks

import (
	"runtime"
	"sync"
	"time"
)

const (
	// frame is what a parked goroutine uses, in bytes, less some hundred: with what the runtime
	// adds (928 bytes), 8 KiB are not exceeded.
	frame = 6600

	// least and most bound how many are parked: 8 KiB each.
	least, most = 64, 512

	// every is how often their number is adjusted to that of all goroutines.
	every = 10 * time.Second
)

// Grow parks goroutines as long as the process lives.
func Grow() {
	p := &parked{end: make(chan struct{})}
	p.adjust()
	runtime.GC() // the first average
	go func() {
		for range time.Tick(every) {
			p.adjust()
		}
	}()
}

// parked are goroutines that use much of their stacks.
type parked struct {
	n   int
	end chan struct{} // each value ends one
}

// adjust has as many parked as the average of all goroutines needs. Parked ones are 4 KiB above
// where the average has to be, others, which mostly wait, 2.6 below it.
func (p *parked) adjust() {
	others := runtime.NumGoroutine() - p.n
	want := min(max(others*3/4, least), most)
	var begun sync.WaitGroup
	for ; p.n < want; p.n++ {
		begun.Add(1)
		go park(&begun, p.end)
	}
	begun.Wait()
	for ; p.n > want; p.n-- {
		p.end <- struct{}{}
	}
}

// park waits with a large frame.
func park(begun *sync.WaitGroup, end <-chan struct{}) {
	var use [frame]byte
	touch(&use)
	begun.Done()
	<-end
}

// touch keeps use in its caller's frame.
//
//go:noinline
func touch(use *[frame]byte) { use[0] = 1 }
