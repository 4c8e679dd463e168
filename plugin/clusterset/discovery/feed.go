package discovery

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// Feed is a running source of values that any number of plugin instances share:
// those of several server blocks, and, while a Corefile is reloaded, the old one
// and the new one. So a reload asks nobody anew and forgets nothing, even while
// the API is down.
type Feed[T any] struct {
	key    string
	cancel context.CancelFunc
	done   chan struct{}
	began  time.Time
	first  chan struct{} // closed once the subscribers know the first value

	mu          sync.Mutex
	value       T
	known       bool
	subscribers map[*subscriber[T]]struct{}
}

type subscriber[T any] struct {
	mu     sync.Mutex
	notify func(T) // nil once canceled
}

// feeds are the running ones, by key, which tells their types apart.
var feeds = struct {
	sync.Mutex
	byKey map[string]any
	users map[string]int
}{byKey: make(map[string]any), users: make(map[string]int)}

// acquire gives the feed of that key; where none is running yet, run makes its
// values until its context ends.
func acquire[T any](key string, run func(ctx context.Context, publish func(T))) *Feed[T] {
	feeds.Lock()
	defer feeds.Unlock()
	feeds.users[key]++
	if f, running := feeds.byKey[key]; running {
		return f.(*Feed[T])
	}
	ctx, cancel := context.WithCancel(context.Background())
	f := &Feed[T]{
		key: key, cancel: cancel, done: make(chan struct{}), began: time.Now(), first: make(chan struct{}),
		subscribers: make(map[*subscriber[T]]struct{}),
	}
	feeds.byKey[key] = f
	go func() {
		defer close(f.done)
		run(ctx, f.publish)
	}()
	return f
}

// releaseTimeout is for a source that can't stop: a command that a kubeconfig runs,
// a disk that hangs under a token's file. Neither keeps CoreDNS from ending.
const releaseTimeout = time.Second

// Release ends this user's part in the feed; the last one stops it and waits
// for that, as far as it ends.
func (f *Feed[T]) Release() {
	feeds.Lock()
	feeds.users[f.key]--
	last := feeds.users[f.key] == 0
	if last {
		delete(feeds.users, f.key)
		delete(feeds.byKey, f.key)
	}
	feeds.Unlock()
	if last {
		f.cancel()
		select {
		case <-f.done:
		case <-time.After(releaseTimeout):
		}
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

// Began is when the feed's source was started.
func (f *Feed[T]) Began() time.Time { return f.began }

// Last is the newest value; known is false before the first.
func (f *Feed[T]) Last() (value T, known bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.value, f.known
}

// Subscribe gives the value there is, if any, and calls notify with each that
// follows, one at a time. No call is made after cancel has returned; so cancel
// may not be called from notify, nor with a lock that notify waits for.
func (f *Feed[T]) Subscribe(notify func(T)) (value T, known bool, cancel func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &subscriber[T]{notify: notify}
	f.subscribers[s] = struct{}{}
	return f.value, f.known, func() {
		f.mu.Lock()
		delete(f.subscribers, s)
		f.mu.Unlock()
		s.mu.Lock()
		s.notify = nil
		s.mu.Unlock()
	}
}

// publish takes a new value; the source calls it one at a time. Nobody is
// notified under the feed's lock: a subscriber may be waiting for that.
func (f *Feed[T]) publish(value T) {
	f.mu.Lock()
	first := !f.known
	f.value, f.known = value, true
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

// idle is how many times as long as a change took to be taken in nothing is: a document
// may take seconds, and whoever writes it all the time would have a processor.
const idle = 4

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
