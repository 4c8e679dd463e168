package discovery

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/registry"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// Feed is a running source of values that any number of plugin instances share:
// those of several server blocks, and, while a Corefile is reloaded, the old one
// and the new one. So a reload asks nobody anew and forgets nothing, even while
// the API is down.
type Feed[T any] struct {
	origin origin
	cancel context.CancelFunc
	done   chan struct{} // closed when the source has ended
	began  time.Time
	first  chan struct{} // closed once the subscribers know the first value
	last   atomic.Pointer[T]
	status atomic.Pointer[status.Document]

	mu          sync.Mutex
	subscribers map[*subscriber[T]]struct{}
}

type subscriber[T any] struct {
	mu     sync.Mutex
	notify func(T) // nil once canceled
}

// origin is where a feed's values come from: feeds of the same origin are one.
type origin struct {
	kind, name string // the kind implies the type of the values
	api        string // the key of the API, "" for files
}

func (o origin) String() string { return o.kind + " " + o.name }

// feeds are the running ones.
var feeds registry.Registry[origin, registry.Value]

// running is a feed as the registry closes it.
type running[T any] struct{ *Feed[T] }

// acquire returns the feed of that origin. Where none is running yet, run makes its values
// until ctx ends.
func acquire[T any](from origin, run func(ctx context.Context, f *Feed[T])) *Feed[T] {
	shared, _ := feeds.Acquire(from, func() (registry.Value, error) { // never fails
		ctx, cancel := context.WithCancel(context.Background())
		f := &Feed[T]{
			origin: from, cancel: cancel, done: make(chan struct{}), began: time.Now(), first: make(chan struct{}),
			subscribers: make(map[*subscriber[T]]struct{}),
		}
		f.status.Store(&status.Document{Source: from.String()})
		go func() {
			defer close(f.done)
			run(ctx, f)
		}()
		return running[T]{f}, nil
	})
	return shared.(running[T]).Feed
}

// Release ends this user's part in the feed; the last one stops it and waits
// for that, as far as it ends.
func (f *Feed[T]) Release() { feeds.Release(f.origin) }

// Close stops the source.
func (r running[T]) Close() {
	r.cancel()
	waitFor(r.done)
}

// stopTimeout is for a source that can't stop: a command that a kubeconfig runs,
// a disk that hangs under a token's file. Neither keeps CoreDNS from ending.
const stopTimeout = time.Second

// waitFor waits for what was told to stop, for stopTimeout at most.
func waitFor(stopped <-chan struct{}) {
	timeout := time.NewTimer(stopTimeout)
	defer timeout.Stop()
	select {
	case <-stopped:
	case <-timeout.C:
	}
}

// Wait returns when there is a value and the subscribers know it, or when ctx ends; it
// reports which.
func (f *Feed[T]) Wait(ctx context.Context) bool {
	select {
	case <-f.first:
		return true
	case <-ctx.Done():
		return false
	}
}

// WaitUntil is Wait until a time.
func (f *Feed[T]) WaitUntil(end time.Time) bool {
	ctx, cancel := context.WithDeadline(context.Background(), end)
	defer cancel()
	return f.Wait(ctx)
}

// Began returns when the feed's source was started.
func (f *Feed[T]) Began() time.Time { return f.began }

// Last returns the newest value; known is false before the first.
func (f *Feed[T]) Last() (value T, known bool) {
	if last := f.last.Load(); last != nil {
		return *last, true
	}
	return value, false
}

// Subscribe returns the value there is, if any, and calls notify with each that
// follows, one at a time. No call is made after cancel has returned; so cancel
// may not be called from notify, nor with a lock that notify waits for.
func (f *Feed[T]) Subscribe(notify func(T)) (value T, known bool, cancel func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &subscriber[T]{notify: notify}
	f.subscribers[s] = struct{}{}
	value, known = f.Last()
	return value, known, func() {
		f.mu.Lock()
		delete(f.subscribers, s)
		f.mu.Unlock()
		s.mu.Lock()
		s.notify = nil
		s.mu.Unlock()
	}
}

// publish sets a new value; the source calls it one at a time. Nobody is
// notified under the feed's lock: a subscriber may be waiting for that.
func (f *Feed[T]) publish(value T) {
	if failing, is := any(value).(interface{ failure() error }); is {
		f.setError(failing.failure())
	}
	f.mu.Lock()
	first := f.last.Swap(&value) == nil
	subscribers := slices.Collect(maps.Keys(f.subscribers))
	f.mu.Unlock()
	for _, s := range subscribers {
		s.mu.Lock()
		if s.notify != nil {
			s.notify(value)
		}
		s.mu.Unlock()
	}
	if first {
		close(f.first)
	}
}
