package discovery

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// source runs a feed whose values a test gives.
type source struct {
	values chan int
	taken  chan struct{} // one for each value published
	runs   atomic.Int32
	ended  atomic.Int32
}

func newSource() *source {
	return &source{values: make(chan int), taken: make(chan struct{})}
}

func (s *source) run(ctx context.Context, publish func(int)) {
	s.runs.Add(1)
	defer s.ended.Add(1)
	for {
		select {
		case <-ctx.Done():
			return
		case v := <-s.values:
			publish(v)
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
	one := acquire(t.Name(), s.run)
	if _, known := one.Last(); known {
		t.Error("a value before the first")
	}
	s.publish(t, 1)
	two := acquire(t.Name(), s.run)
	other := acquire(t.Name()+" other", newSource().run)
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
	again := acquire(t.Name(), s.run)
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
				f := acquire(t.Name(), func(ctx context.Context, publish func(int)) {
					publish(1)
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
	feeds.Lock()
	defer feeds.Unlock()
	if feeds.byKey[t.Name()] != nil || feeds.users[t.Name()] != 0 {
		t.Error("a feed is left")
	}
}

// TestFeedSubscribers: who subscribes while values are published misses none and
// gets none twice, and none after cancel has returned.
func TestFeedSubscribers(t *testing.T) {
	f := acquire(t.Name(), func(ctx context.Context, publish func(int)) {
		for i := 0; ctx.Err() == nil; i++ {
			publish(i)
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
	f := acquire(t.Name(), s.run)
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

// TestIntake: the last good ClusterSet stays, a trouble is told once, and so is
// its end.
func TestIntake(t *testing.T) {
	var told []Update
	in := &intake{observe: func(u Update) { told = append(told, u) }}
	published := 0
	in.publish = func(u Update) {
		published++
		if published != len(told) || u != told[len(told)-1] {
			t.Errorf("published %v, observed %v", u, told)
		}
	}
	document := func(clusters string) map[string]string {
		return map[string]string{"c.yaml": "apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters: [" + clusters + "]\n"}
	}
	good, other := document("{name: c1, serviceCIDRs: [10.1.0.0/16]}"), document("{name: c2, serviceCIDRs: [10.2.0.0/16]}")
	bad, worse := document("{name: C1, serviceCIDRs: [10.1.0.0/16]}"), document("")
	gone := errors.New("gone")
	steps := []struct {
		name      string
		documents map[string]string
		err       error
		news, bad bool
		inForce   string // "" for none
	}{
		{"unreadable at the start", nil, gone, true, true, ""},
		{"still", nil, gone, false, true, ""},
		{"bad at the start", bad, nil, true, true, ""},
		{"good", good, nil, true, false, "c1"},
		{"bad", bad, nil, true, true, "c1"},
		{"still bad", bad, nil, false, true, "c1"},
		{"bad in another way", worse, nil, true, true, "c1"},
		{"unreadable", nil, gone, true, true, "c1"},
		{"still unreadable", nil, errors.New("gone"), false, true, "c1"},
		{"mended", good, nil, true, false, "c1"},
		{"bad again", bad, nil, true, true, "c1"},
		{"another good one", other, nil, true, false, "c2"},
	}
	for _, step := range steps {
		before := len(told)
		err := in.report(step.documents, step.err)
		if news := len(told) > before; news != step.news || (err != nil) != (step.news && step.bad) {
			t.Errorf("%s: told %t, error %v", step.name, news, err)
		}
		last := told[len(told)-1]
		if (last.Err != nil) != step.bad || onlyMember(last.Set) != step.inForce {
			t.Errorf("%s: %v, error %v", step.name, onlyMember(last.Set), last.Err)
		}
	}
}

func onlyMember(set *model.ClusterSet) string {
	if set == nil || len(set.Clusters) != 1 {
		return ""
	}
	return set.Clusters[0].Name
}

// TestIntakeOnce: documents that are told again aren't parsed again.
func TestIntakeOnce(t *testing.T) {
	in := &intake{observe: func(Update) {}, publish: func(Update) {}}
	for name, text := range map[string]string{"good": documentOf("c1", 1), "bad": aliases("x", 1000)} {
		again := func() { _ = in.report(map[string]string{"k.yaml": text}, nil) }
		again()
		before := in.set
		if n := testing.AllocsPerRun(10, again); n > 100 {
			t.Errorf("%s: %v allocations", name, n)
		}
		_ = in.report(nil, errors.New("gone"))
		if again(); in.set != before {
			t.Errorf("%s: parsed again after another trouble", name)
		}
	}
}

// TestFeedHangs: a source that can't stop doesn't keep its users.
func TestFeedHangs(t *testing.T) {
	hangs := make(chan struct{})
	defer close(hangs)
	f := acquire(t.Name(), func(_ context.Context, publish func(int)) {
		publish(1)
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
		feed := acquire(t.Name(), s.run)
		var told atomic.Bool
		_, _, cancel := feed.Subscribe(func(int) {
			time.Sleep(time.Second)
			told.Store(true)
		})
		go func() {
			s.values <- 1
			<-s.taken
		}()
		if !feed.Wait(t.Context()) || !told.Load() {
			t.Error("waited for a value that the subscriber doesn't know yet")
		}
		time.Sleep(time.Minute) // cancel waits for who is being told
		cancel()
		feed.Release()
	})
}
