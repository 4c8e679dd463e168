package discovery

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// source runs a feed whose values come from a test.
type source struct {
	values chan int
	taken  chan struct{} // one for each value published
	runs   atomic.Int32
	ended  atomic.Int32
}

func newSource() *source {
	return &source{values: make(chan int), taken: make(chan struct{})}
}

func (s *source) run(ctx context.Context, f *Feed[int]) {
	s.runs.Add(1)
	defer s.ended.Add(1)
	for {
		select {
		case <-ctx.Done():
			return
		case v := <-s.values:
			f.publish(v)
			s.taken <- struct{}{}
		}
	}
}

func (s *source) publish(t *testing.T, value int) {
	t.Helper()
	select {
	case s.values <- value:
		<-s.taken
	case <-time.After(30 * time.Second):
		t.Fatalf("%d: no source takes it", value)
	}
}

// TestFeedShared: users of one key share one source and its value; the last one
// to release it ends it, and the next one begins anew.
func TestFeedShared(t *testing.T) {
	s := newSource()
	one := acquire(origin{name: t.Name()}, s.run)
	if _, known := one.Last(); known {
		t.Error("a value before the first")
	}
	s.publish(t, 1)
	two := acquire(origin{name: t.Name()}, s.run)
	other := acquire(origin{name: t.Name() + " other"}, newSource().run)
	defer other.Release()
	if one != two || one == other {
		t.Error("one key, one feed")
	}
	if v, known, cancel := two.Subscribe(func(int) {}); v != 1 || !known {
		t.Errorf("a second user gets %d, %t", v, known)
	} else {
		cancel()
	}
	one.Release()
	if s.ended.Load() != 0 {
		t.Error("released by the first, ended for the second")
	}
	s.publish(t, 2)
	if v, known := two.Last(); v != 2 || !known {
		t.Errorf("got %d, %t", v, known)
	}
	two.Release()
	if s.ended.Load() != 1 { // Release waits for it
		t.Error("released by all, and not ended")
	}
	again := acquire(origin{name: t.Name()}, s.run)
	defer again.Release()
	if _, known := again.Last(); again == one || known {
		t.Error("a value of the feed that ended")
	}
	s.publish(t, 3)
	if n := s.runs.Load(); n != 2 {
		t.Errorf("%d sources, want 2", n)
	}
}

// TestFeedAtOnce: instances that come and go at the same time, as in reloads in a
// row, always find a feed that runs.
func TestFeedAtOnce(t *testing.T) {
	var users sync.WaitGroup
	for range 8 {
		users.Go(func() {
			for range 200 {
				f := acquire(origin{name: t.Name()}, func(ctx context.Context, f *Feed[int]) {
					f.publish(1)
					<-ctx.Done()
				})
				select {
				case <-f.first:
				case <-time.After(30 * time.Second):
					t.Error("a feed that ended")
				}
				f.Release()
			}
		})
	}
	users.Wait()
	if n := feeds.Len(); n != 0 {
		t.Errorf("%d feeds stay", n)
	}
}

// TestFeedSubscribers: who subscribes while values are published misses none and
// gets none twice, and none after cancel has returned.
func TestFeedSubscribers(t *testing.T) {
	f := acquire(origin{name: t.Name()}, func(ctx context.Context, f *Feed[int]) {
		for i := 0; ctx.Err() == nil; i++ {
			f.publish(i)
		}
	})
	var subscribers sync.WaitGroup
	for range 8 {
		subscribers.Go(func() {
			for range 50 {
				subscribeOnce(t, f)
			}
		})
	}
	subscribers.Wait()
	f.Release()
}

// subscribeOnce takes ten values.
func subscribeOnce(t *testing.T, f *Feed[int]) {
	var mu sync.Mutex // what follows waits for what there is
	var last, got int
	var canceled atomic.Bool
	enough := make(chan struct{})
	mu.Lock()
	value, known, cancel := f.Subscribe(func(next int) {
		mu.Lock()
		defer mu.Unlock()
		if canceled.Load() {
			t.Error("notified after cancel")
		}
		if next != last+1 {
			t.Errorf("%d after %d", next, last)
		}
		last = next
		if got++; got == 10 {
			close(enough)
		}
	})
	last = value
	if !known {
		last = -1
	}
	mu.Unlock()
	<-enough
	cancel()
	canceled.Store(true)
}

func TestFeedWait(t *testing.T) {
	s := newSource()
	f := acquire(origin{name: t.Name()}, s.run)
	defer f.Release()
	ended, end := context.WithCancel(t.Context())
	end()
	if f.Wait(ended) {
		t.Error("a value before the first")
	}
	waited := make(chan bool)
	go func() { waited <- f.Wait(t.Context()) }()
	s.publish(t, 1)
	if !<-waited || !f.Wait(t.Context()) {
		t.Error("no value")
	}
}

// TestFeedHangs: a source that can't stop doesn't keep its users.
func TestFeedHangs(t *testing.T) {
	hangs := make(chan struct{})
	defer close(hangs)
	f := acquire(origin{name: t.Name()}, func(_ context.Context, f *Feed[int]) {
		f.publish(1)
		<-hangs
	})
	f.Wait(t.Context())
	released := make(chan struct{})
	go func() {
		f.Release()
		close(released)
	}()
	select {
	case <-released:
	case <-time.After(30 * time.Second):
		t.Error("Release hangs")
	}
}

// TestFeedWaitsForSubscribers: who waits for a feed finds what its subscribers made of the value.
func TestFeedWaitsForSubscribers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSource()
		feed := acquire(origin{name: t.Name()}, s.run)
		var notified atomic.Bool
		_, _, cancel := feed.Subscribe(func(int) {
			time.Sleep(time.Second)
			notified.Store(true)
		})
		go func() {
			s.values <- 1
			<-s.taken
		}()
		if !feed.Wait(t.Context()) || !notified.Load() {
			t.Error("waited for a value that the subscriber doesn't know yet")
		}
		time.Sleep(time.Minute) // cancel waits for a notification that is under way
		cancel()
		feed.Release()
	})
}
