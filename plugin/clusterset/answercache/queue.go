package answercache

import (
	"math"
	"sync/atomic"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// entry is a name's place: its answer is replaced when the member is asked again.
type entry struct {
	answer atomic.Pointer[Answer]
	// used is how often it was looked up since it was last considered for eviction, up to
	// maxUsed.
	used atomic.Int32
}

const (
	// maxUsed is enough to tell how popular a name is.
	maxUsed = 3
	// recentPart of a queue is for names that weren't asked twice yet.
	recentPart = 10
	// maxPasses bounds the search for an entry to evict, as it is done in a query.
	maxPasses = 100
)

// queue holds a member's answers of one kind, in the order of S3-FIFO (Yang and
// others, "FIFO queues are all you need for cache eviction", SOSP 2023): a name
// enters the recent queue, a tenth of all, and when it comes to its end goes to
// the main one if it was asked again, else out. What reaches the main one's end
// begins anew if it was asked since. So names that are asked once don't get near
// those that are asked again; and a look-up, which moves nothing, needs no more
// than a lock for reading.
type queue struct {
	recent, main fifo
	// weight is that of all answers; guarded by the cache's lock.
	weight int
}

func (q *queue) find(k Key) *entry {
	if e := q.main.find(k); e != nil {
		return e
	}
	return q.recent.find(k)
}

// keys returns all keys.
func (q *queue) keys() []Key { return append(q.main.keys(), q.recent.keys()...) }

func (q *queue) len() int { return q.main.len() + q.recent.len() }

// add adds an entry whose key isn't there; known is set for a name that was there not long
// ago.
func (q *queue) add(k Key, e *entry, known bool) {
	if known {
		q.main.push(k, e)
	} else {
		q.recent.push(k, e)
	}
}

func (q *queue) remove(k Key) {
	if !q.main.remove(k) {
		q.recent.remove(k)
	}
}

// evict removes and returns one entry, if there is any; asked is set for one of the main
// queue.
func (q *queue) evict() (k Key, e *entry, asked bool) {
	for pass := 0; ; pass++ {
		if q.main.len() == 0 || q.recent.len()*recentPart > q.len() {
			k, e = q.recent.pop()
			if e == nil || e.used.Load() == 0 || pass >= maxPasses {
				return k, e, false
			}
			e.used.Store(0)
			q.main.push(k, e)
			continue
		}
		k, e = q.main.pop()
		used := e.used.Load()
		if used == 0 || pass >= maxPasses {
			return k, e, true
		}
		e.used.Store(used - 1)
		q.main.push(k, e)
	}
}

// use counts a look-up.
func (e *entry) use() {
	if e.used.Load() < maxUsed {
		e.used.Add(1)
	}
}

// fifo is a queue of entries that are found by their keys. Nothing is made before
// the first one comes: most members of a large set are never asked.
type fifo struct {
	lru *simplelru.LRU[Key, *entry]
	// peak is the most that were in it: a map doesn't shrink.
	peak int
}

// minShrink is the peak below which a map isn't worth making anew.
const minShrink = 64

func (f *fifo) len() int {
	if f.lru == nil {
		return 0
	}
	return f.lru.Len()
}

func (f *fifo) find(k Key) *entry {
	if f.lru == nil {
		return nil
	}
	e, _ := f.lru.Peek(k)
	return e
}

// keys returns the keys, the oldest one's first.
func (f *fifo) keys() []Key {
	if f.lru == nil {
		return nil
	}
	return f.lru.Keys()
}

func (f *fifo) push(k Key, e *entry) {
	if f.lru == nil {
		f.lru = newLRU[*entry](math.MaxInt)
	}
	f.lru.Add(k, e)
	f.peak = max(f.peak, f.lru.Len())
}

func (f *fifo) pop() (Key, *entry) {
	if f.lru == nil {
		return Key{}, nil
	}
	k, e, _ := f.lru.RemoveOldest()
	f.shrink()
	return k, e
}

func (f *fifo) remove(k Key) bool {
	if f.lru == nil || !f.lru.Remove(k) {
		return false
	}
	f.shrink()
	return true
}

// shrink frees the memory of a member that had many answers and made room for others'.
func (f *fifo) shrink() {
	if f.peak < minShrink || f.lru.Len() > f.peak/4 {
		return
	}
	small := fifo{}
	for _, k := range f.keys() {
		small.push(k, f.find(k))
	}
	*f = small
}

func newLRU[V any](size int) *simplelru.LRU[Key, V] {
	l, err := simplelru.NewLRU[Key, V](size, nil)
	if err != nil {
		panic(err) // of a size that isn't positive
	}
	return l
}
