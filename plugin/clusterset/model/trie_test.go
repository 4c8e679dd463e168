package model

import (
	"maps"
	"math/rand/v2"
	"testing"
)

// TestTrie does random changes to a trie and to a map, and expects the same of
// both; tries made before must stay as they were. A poor hash has many keys meet
// at the last level.
func TestTrie(t *testing.T) {
	hashes := map[string]func(int) uint64{
		"spread":  func(k int) uint64 { return uint64(k) * 0x9E3779B97F4A7C15 },
		"poor":    func(k int) uint64 { return uint64(k % 7) },
		"topmost": func(k int) uint64 { return uint64(k) << 59 },
	}
	for name, hash := range hashes {
		t.Run(name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			now, want := trie[int, int]{hash: hash}, make(map[int]int)
			old, oldWant := now, maps.Clone(want)
			for i := range 5000 {
				key := random.IntN(500)
				if random.IntN(3) == 0 {
					now = now.remove(key)
					delete(want, key)
				} else {
					now = now.set(key, i)
					want[key] = i
				}
				if i%500 == 0 {
					expectTrie(t, &now, want)
					expectTrie(t, &old, oldWant)
					old, oldWant = now, maps.Clone(want)
				}
			}
			for key := range 500 {
				now = now.remove(key)
			}
			if now.size != 0 || now.root.entryBits != 0 || now.root.childBits != 0 {
				t.Errorf("emptied, it holds %+v", now.root)
			}
		})
	}
}

func expectTrie(t *testing.T, got *trie[int, int], want map[int]int) {
	t.Helper()
	if all := maps.Collect(got.all()); !maps.Equal(all, want) || got.size != len(want) {
		t.Fatalf("has %d entries (%d said), want %d", len(all), got.size, len(want))
	}
	for key := range 500 {
		value, found := got.get(key)
		if wanted, ok := want[key]; found != ok || value != wanted {
			t.Fatalf("%d gives %d, %v; want %d, %v", key, value, found, wanted, ok)
		}
	}
}
