package members

import (
	"sync"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/discovery"
)

// subscribe has do call handle with the feed's value, if there is one, and calls it with
// each that follows, until stop, which also releases the feed. What do is given must be
// called: values that follow, and stop, wait for it.
func subscribe[T any](feed *discovery.Feed[T], handle func(T), do func(func())) (stop func()) {
	var first sync.Mutex // what follows waits for what there is
	first.Lock()
	value, known, cancel := feed.Subscribe(func(next T) {
		first.Lock()
		defer first.Unlock()
		handle(next)
	})
	do(func() {
		defer first.Unlock()
		if known {
			handle(value)
		}
	})
	return func() {
		cancel()
		feed.Release()
	}
}

// run has subscribe wait for the first value to be handled.
func run(f func()) { f() }
