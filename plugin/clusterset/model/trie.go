package model

import (
	"iter"
	"math/bits"
)

// trie is an immutable map: a change makes a new one, which shares all nodes but the few on
// the path to the change, so that it costs the same for ten entries as for a million. It is
// a compressed hash-array mapped prefix tree (Steindorfer and Vinju, OOPSLA 2015): 32-way
// nodes whose arrays have no empty places.
//
// The zero value needs its hash.
type trie[K comparable, V any] struct {
	hash func(K) uint64
	root *node[K, V]
	size int
}

type node[K comparable, V any] struct {
	// entryBits and childBits have a bit for each of the 32 places with an entry and a
	// child; the slices have them in the order of the places.
	entryBits, childBits uint32
	entries              []entry[K, V]
	children             []*node[K, V]
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

const (
	levelBits = 5
	levelMask = 1<<levelBits - 1
	// lastLevel has no bits of the hash left: its node is a plain list.
	lastLevel = 64 / levelBits * levelBits
)

func bitAt(hash uint64, shift uint) uint32 { return 1 << (hash >> shift & levelMask) }

func index(set, bit uint32) int { return bits.OnesCount32(set & (bit - 1)) }

// get returns the value of key. Each query calls it: it calls nothing else.
func (t *trie[K, V]) get(key K) (value V, found bool) {
	n, hash := t.root, t.hash(key)
	for shift := uint(0); n != nil && shift < lastLevel; shift += levelBits {
		bit := uint32(1) << (hash >> shift & levelMask)
		if n.entryBits&bit != 0 {
			e := &n.entries[bits.OnesCount32(n.entryBits&(bit-1))]
			if e.key == key {
				return e.value, true
			}
			return value, false
		}
		if n.childBits&bit == 0 {
			return value, false
		}
		n = n.children[bits.OnesCount32(n.childBits&(bit-1))]
	}
	if n != nil {
		for i := range n.entries {
			if n.entries[i].key == key {
				return n.entries[i].value, true
			}
		}
	}
	return value, false
}

// set returns a trie in which key has value.
func (t *trie[K, V]) set(key K, value V) trie[K, V] {
	root, added := t.setIn(t.root, t.hash(key), 0, entry[K, V]{key, value})
	size := t.size
	if added {
		size++
	}
	return trie[K, V]{t.hash, root, size}
}

func (t *trie[K, V]) setIn(n *node[K, V], hash uint64, shift uint, e entry[K, V]) (changed *node[K, V], added bool) {
	if n == nil {
		n = new(node[K, V])
	}
	if shift >= lastLevel {
		return n.setInList(e)
	}
	next, bit := *n, bitAt(hash, shift)
	switch {
	case n.childBits&bit != 0:
		i := index(n.childBits, bit)
		child, added := t.setIn(n.children[i], hash, shift+levelBits, e)
		next.children = replaced(n.children, i, child)
		return &next, added
	case n.entryBits&bit == 0:
		next.entryBits |= bit
		next.entries = inserted(n.entries, index(n.entryBits, bit), e)
		return &next, true
	}
	i := index(n.entryBits, bit)
	there := n.entries[i]
	if there.key == e.key {
		next.entries = replaced(n.entries, i, e)
		return &next, false
	}
	child, _ := t.setIn(nil, t.hash(there.key), shift+levelBits, there)
	child, _ = t.setIn(child, hash, shift+levelBits, e)
	next.entryBits &^= bit
	next.entries = removed(n.entries, i)
	next.childBits |= bit
	next.children = inserted(n.children, index(n.childBits, bit), child)
	return &next, true
}

func (n *node[K, V]) setInList(e entry[K, V]) (changed *node[K, V], added bool) {
	for i := range n.entries {
		if n.entries[i].key == e.key {
			return &node[K, V]{entries: replaced(n.entries, i, e)}, false
		}
	}
	return &node[K, V]{entries: inserted(n.entries, len(n.entries), e)}, true
}

// remove returns a trie without key.
func (t *trie[K, V]) remove(key K) trie[K, V] {
	root, gone := removeIn(t.root, t.hash(key), 0, key)
	if !gone {
		return *t
	}
	return trie[K, V]{t.hash, root, t.size - 1}
}

func removeIn[K comparable, V any](n *node[K, V], hash uint64, shift uint, key K) (changed *node[K, V], gone bool) {
	if n == nil {
		return nil, false
	}
	if shift >= lastLevel {
		for i := range n.entries {
			if n.entries[i].key == key {
				return &node[K, V]{entries: removed(n.entries, i)}, true
			}
		}
		return n, false
	}
	next, bit := *n, bitAt(hash, shift)
	if n.entryBits&bit != 0 {
		i := index(n.entryBits, bit)
		if n.entries[i].key != key {
			return n, false
		}
		next.entryBits &^= bit
		next.entries = removed(n.entries, i)
		return &next, true
	}
	if n.childBits&bit == 0 {
		return n, false
	}
	i := index(n.childBits, bit)
	child, gone := removeIn(n.children[i], hash, shift+levelBits, key)
	if !gone {
		return n, false
	}
	if len(child.children) > 0 || len(child.entries) > 1 {
		next.children = replaced(n.children, i, child)
		return &next, true
	}
	next.childBits &^= bit // the child's last entry moves up
	next.children = removed(n.children, i)
	if len(child.entries) == 1 {
		next.entryBits |= bit
		next.entries = inserted(n.entries, index(n.entryBits, bit), child.entries[0])
	}
	return &next, true
}

// all iterates over the entries, in no order.
func (t *trie[K, V]) all() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) { t.root.each(yield) }
}

func (n *node[K, V]) each(yield func(K, V) bool) bool {
	if n == nil {
		return true
	}
	for i := range n.entries {
		if !yield(n.entries[i].key, n.entries[i].value) {
			return false
		}
	}
	for _, child := range n.children {
		if !child.each(yield) {
			return false
		}
	}
	return true
}

// These three copy: what is shared doesn't change.

func replaced[T any](s []T, i int, v T) []T {
	next := make([]T, len(s))
	copy(next, s)
	next[i] = v
	return next
}

func inserted[T any](s []T, i int, v T) []T {
	next := make([]T, len(s)+1)
	copy(next, s[:i])
	next[i] = v
	copy(next[i+1:], s[i:])
	return next
}

func removed[T any](s []T, i int) []T {
	if len(s) == 1 {
		return nil
	}
	next := make([]T, len(s)-1)
	copy(next, s[:i])
	copy(next[i:], s[i+1:])
	return next
}
