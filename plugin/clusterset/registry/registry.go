// Package registry shares values by key among users that come and go: the first user of
// a key makes its value, the last one closes it.
//
// It knows nothing of what it shares. Server blocks, and the two instances of a Corefile
// that is reloaded, share sources of documents, members' data and metric series by it.
package registry

import (
	"fmt"
	"sync"
)

// Value is what is shared. Close ends it, and returns when all goroutines and timers that
// it owns have ended.
type Value interface{ Close() }

// Registry shares values by key. The zero value is ready for use, by any number of
// goroutines.
//
// A key's value is made and closed under a lock of that key alone, so that a key has one
// value at most, and none waits for another key's. Who acquires a key whose last value is
// still being closed waits for that, and makes a new one.
type Registry[K comparable, V Value] struct {
	mu      sync.Mutex
	entries map[K]*entry[V]
}

type entry[V Value] struct {
	// references are the users, and the calls that are under way; under the registry's lock.
	references int

	lock  chan struct{} // of one: the key's lock, held while value is made or closed
	users int
	value V // while it has users
}

// Acquire returns the key's value, for use until Release. The first user's is the one
// that newValue returns; where that fails, nothing is kept, and its error is returned.
//
// newValue may use other keys of the registry, but not this one.
func (r *Registry[K, V]) Acquire(key K, newValue func() (V, error)) (V, error) {
	e := r.enter(key)
	acquired := false
	defer func() {
		if !acquired {
			r.leave(key, e)
		}
	}()
	e.lock <- struct{}{}
	defer func() { <-e.lock }()
	if e.users == 0 {
		value, err := newValue()
		if err != nil {
			var none V
			return none, err
		}
		e.value = value
	}
	e.users++
	acquired = true
	return e.value, nil
}

// Release ends one user's part in the key's value. It is called once for each Acquire
// that succeeded; the last user's call closes the value, and returns when it is closed.
func (r *Registry[K, V]) Release(key K) {
	r.mu.Lock()
	e := r.entries[key]
	r.mu.Unlock()
	if e == nil {
		panic(fmt.Sprintf("registry: %v released more often than acquired", key))
	}
	defer r.leave(key, e)
	e.lock <- struct{}{}
	defer func() { <-e.lock }()
	if e.users--; e.users > 0 {
		return
	}
	value := e.value
	var none V
	e.value = none
	value.Close()
}

// Len returns how many keys have users, or a value that is being made or closed.
func (r *Registry[K, V]) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.entries)
}

// enter returns the key's entry, which stays until leave.
func (r *Registry[K, V]) enter(key K) *entry[V] {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.entries[key]
	if e == nil {
		if r.entries == nil {
			r.entries = make(map[K]*entry[V])
		}
		e = &entry[V]{lock: make(chan struct{}, 1)}
		r.entries[key] = e
	}
	e.references++
	return e
}

func (r *Registry[K, V]) leave(key K, e *entry[V]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.references--; e.references == 0 {
		delete(r.entries, key)
	}
}
