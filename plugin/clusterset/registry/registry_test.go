package registry

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// shared counts how often it was closed.
type shared struct {
	closed  atomic.Int32
	onClose func()
}

func (s *shared) Close() {
	if s.onClose != nil {
		s.onClose()
	}
	s.closed.Add(1)
}

func acquire(t *testing.T, r *Registry[string, *shared], key string, newValue func() (*shared, error)) *shared {
	t.Helper()
	v, err := r.Acquire(key, newValue)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func makes(s *shared) func() (*shared, error) { return func() (*shared, error) { return s, nil } }

// TestShared: users of one key have one value, which the last of them closes; then a new
// one is made.
func TestShared(t *testing.T) {
	var r Registry[string, *shared]
	first, second, other := &shared{}, &shared{}, &shared{}
	one, same := acquire(t, &r, "a", makes(first)), acquire(t, &r, "a", makes(second))
	if one != first || same != first || acquire(t, &r, "b", makes(other)) != other {
		t.Error("not one value for each key")
	}
	r.Release("a")
	if first.closed.Load() != 0 || r.Len() != 2 {
		t.Error("closed while it has a user")
	}
	r.Release("a")
	if first.closed.Load() != 1 || r.Len() != 1 || other.closed.Load() != 0 {
		t.Error("not closed by the last user, or another key's was")
	}
	if acquire(t, &r, "a", makes(second)) != second {
		t.Error("a value that is closed")
	}
	r.Release("a")
	r.Release("b")
	if n := r.Len(); n != 0 {
		t.Errorf("%d entries stay", n)
	}
}

// TestFailure: a value that can't be made isn't kept, and the next user tries again. So it
// is where making it panics.
func TestFailure(t *testing.T) {
	var r Registry[string, *shared]
	bad := errors.New("bad")
	if v, err := r.Acquire("a", func() (*shared, error) { return &shared{}, bad }); v != nil || !errors.Is(err, bad) {
		t.Errorf("%v, error %v", v, err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_, _ = r.Acquire("a", func() (*shared, error) { panic("bad") })
	}()
	if r.Len() != 0 {
		t.Error("a failure is kept")
	}
	good := &shared{}
	if acquire(t, &r, "a", makes(good)) != good {
		t.Error("not made after a failure")
	}
	r.Release("a")
}

func TestReleaseTwice(t *testing.T) {
	var r Registry[string, *shared]
	acquire(t, &r, "a", makes(&shared{}))
	r.Release("a")
	defer func() {
		if recover() == nil {
			t.Error("released twice, and no panic")
		}
	}()
	r.Release("a")
}

// TestClosing: while a value is being closed, its key's next user waits, and other keys'
// don't; then it has a new value.
func TestClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const long = time.Minute
		var r Registry[string, *shared]
		old := &shared{onClose: func() { time.Sleep(long) }}
		acquire(t, &r, "a", makes(old))
		begun := time.Now()
		go r.Release("a")
		synctest.Wait()
		acquire(t, &r, "b", makes(&shared{}))
		r.Release("b")
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("another key waits %s", waited)
		}
		next := &shared{}
		if acquire(t, &r, "a", makes(next)) != next || old.closed.Load() != 1 || time.Since(begun) != long {
			t.Errorf("acquired after %s, closed %d times", time.Since(begun), old.closed.Load())
		}
		r.Release("a")
		if r.Len() != 0 {
			t.Error("an entry stays")
		}
	})
}

// TestMaking: while a value is being made, its key's other users wait for it, and other
// keys' don't.
func TestMaking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r Registry[string, *shared]
		slow := func() (*shared, error) {
			time.Sleep(time.Minute)
			acquire(t, &r, "b", makes(&shared{}))
			return &shared{onClose: func() { r.Release("b") }}, nil
		}
		values := make(chan *shared, 2)
		for range 2 {
			go func() { values <- acquire(t, &r, "a", slow) }()
		}
		synctest.Wait()
		acquire(t, &r, "b", makes(&shared{}))
		r.Release("b")
		if len(values) != 0 {
			t.Error("a value that isn't made")
		}
		if one, other := <-values, <-values; one != other {
			t.Error("two values of one key")
		}
		r.Release("a")
		r.Release("a")
		if r.Len() != 0 {
			t.Error("an entry stays")
		}
	})
}

// TestAtOnce: users that come and go all the time never have a value that is closed, or
// two of one key at the same time.
func TestAtOnce(t *testing.T) {
	var r Registry[string, *shared]
	var open [3]atomic.Int32
	var users sync.WaitGroup
	for range 8 {
		users.Go(func() {
			for i := range 3000 {
				n := i % len(open)
				key := fmt.Sprint(n)
				v, err := r.Acquire(key, func() (*shared, error) {
					if open[n].Add(1) != 1 {
						t.Error("two values of one key")
					}
					return &shared{onClose: func() { open[n].Add(-1) }}, nil
				})
				if err != nil || v.closed.Load() != 0 {
					t.Errorf("a value that is closed, or none: %v", err)
				}
				r.Release(key)
			}
		})
	}
	users.Wait()
	if n := r.Len(); n != 0 {
		t.Errorf("%d entries stay", n)
	}
}
