//go:build e2e

package oracle

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// rounds is how often the data change. In one of them a namespace is deleted,
// which takes the controller five seconds.
const rounds = 3

// variants are the ways that a member's names are answered. To forward is cheap
// to compare: what differs there was not done by the data.
var variants = []string{"forward", "resolve", "auto"}

func TestOracle(t *testing.T) {
	for _, mode := range variants {
		t.Run(mode, func(t *testing.T) { compareAll(t, mode) })
	}
}

// compareAll compares the two servers where ours is in that mode.
func compareAll(t *testing.T, mode string) {
	seed := firstSeed(t)
	t.Logf("ORACLE_SEED=%d", seed)
	a := startAPI(t)
	a.fill()
	theirs := startOracle(t, a.kubeconfig)
	ours := startOurs(t, mode, a.kubeconfig, theirs.addr)
	a.compareRounds(newComparison(t, mode, theirs, ours), seed)
}

// compareRounds compares the two servers on the data as they are made, and after each round
// of changes.
func (a *api) compareRounds(c *comparison, seed uint64) {
	a.t.Helper()
	names := newNames()
	random := rand.New(rand.NewPCG(seed, 0))
	a.settle(0, c)
	names.learn(c.objects)
	c.compare(0, c.all(names), plain, tcp, without, flags)
	for round := 1; round <= rounds; round++ {
		a.change(random, round)
		a.settle(round, c)
		names.learn(c.objects)
		c.compare(round, c.changed(names), plain)
	}
	c.reportStale()
}

// settle waits until all have the data.
func (a *api) settle(number int, all ...*comparison) {
	a.t.Helper()
	a.mark(number)
	objects := a.list()
	for _, c := range all {
		c.awaitMark(number)
		c.objects = objects
	}
}

// TestImports compares names over the whole ClusterSet, of ServiceImports.
func TestImports(t *testing.T) {
	seed := firstSeed(t)
	t.Logf("ORACLE_SEED=%d", seed)
	a := startAPI(t)
	a.fillImports()
	a.compareRounds(a.startImports(), seed)
}

// firstSeed is ORACLE_SEED, or one that no run had before.
func firstSeed(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("ORACLE_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("ORACLE_SEED: %v", err)
		}
	}
	return seed
}
