//go:build e2e

package oracle

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"golang.org/x/sync/errgroup"
)

// TestSeeds makes the random changes of as many seeds as ORACLE_SEEDS says, from
// ORACLE_SEED on, each on the data as TestOracle has them at its start, and asks
// after each round for the names of what changed. Servers, and namespaces, stay:
// that is what a seed costs most.
func TestSeeds(t *testing.T) {
	seeds := seedCount(t)
	a := startAPI(t)
	a.keep = true
	a.fill()
	theirs := startOracle(t, a.kubeconfig)
	var all []*comparison
	for _, mode := range []string{"forward", "resolve"} { // auto, of synced data, is as resolve
		c := newComparison(t, mode, theirs, startOurs(t, mode, a.kubeconfig, theirs.addr))
		c.impatient = true
		all = append(all, c)
	}
	a.compareSeeds(seeds, all)
}

// TestImportSeeds does the same for ServiceImports and names over the whole ClusterSet.
func TestImportSeeds(t *testing.T) {
	seeds := seedCount(t)
	a := startAPI(t)
	a.fillImports()
	a.compareSeeds(seeds, []*comparison{a.startImports()})
}

// seedCount is ORACLE_SEEDS. It skips the test where that isn't set.
func seedCount(t *testing.T) int {
	t.Helper()
	seeds, err := strconv.Atoi(os.Getenv("ORACLE_SEEDS"))
	if err != nil {
		t.Skip("ORACLE_SEEDS isn't a number; see make oracle")
	}
	return seeds
}

// compareSeeds compares the two servers on the data of each seed.
func (a *api) compareSeeds(seeds int, all []*comparison) {
	t := a.t
	t.Helper()
	a.settle(0, all...)
	first, base := firstSeed(t), a.made
	for i := range uint64(seeds) {
		seed := first + i
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			seeded := *a
			seeded.t, seeded.made = t, base
			seeded.compareSeed(seed, int(i)*(rounds+1)+1, all)
		})
	}
}

// compareSeed makes the data as they were at first, and then the rounds of changes.
// Its marks are of the numbers from mark on.
func (a *api) compareSeed(seed uint64, mark int, all []*comparison) {
	for _, c := range all {
		c.t = a.t
	}
	random := rand.New(rand.NewPCG(seed, 0))
	a.empty(func(metav1.ObjectMeta) bool { return true })
	a.makeServicesAndSlices()
	a.settle(mark, all...)
	for round := 1; round <= rounds; round++ {
		before := all[0].objects
		a.change(random, round)
		a.settle(mark+round, all...)
		changed := namesOf(changedObjects(before, all[0].objects))
		asked, differences := compareBy(plain, all[0].brief(changed), all...)
		a.t.Logf("seed %d, round %d: %d questions, %d differences", seed, round, asked, len(differences))
		for _, text := range report(differences) {
			a.t.Errorf("round %d, %s\n  again: make oracle SEEDS=1 SEED=%d; with all names: ORACLE_SEED=%[3]d go test -tags e2e -run 'Test(Oracle|Imports)$' ./test/oracle", round, text, seed)
		}
	}
}

// at is how many objects are written at a time where their order is of no matter.
const at = 8

// empty deletes what this test made, of what suits, but for what marks stand on.
func (a *api) empty(suits func(metav1.ObjectMeta) bool) {
	a.t.Helper()
	goes := func(o metav1.ObjectMeta) bool {
		_, ok := o.Labels[byHand]
		return ok && suits(o) && (o.Namespace != marks || o.Name != markedService)
	}
	services, slices, imports := a.listServices(), a.listSlices(), a.listImports()
	a.services, a.slices, a.imports = "", "", ""
	var group errgroup.Group
	group.SetLimit(at)
	for _, s := range services {
		if goes(s.ObjectMeta) {
			group.Go(func() error {
				return a.client.CoreV1().Services(s.Namespace).Delete(a.t.Context(), s.Name, metav1.DeleteOptions{})
			})
		}
	}
	for _, s := range slices {
		if goes(s.ObjectMeta) {
			group.Go(func() error {
				return a.client.DiscoveryV1().EndpointSlices(s.Namespace).Delete(a.t.Context(), s.Name, metav1.DeleteOptions{})
			})
		}
	}
	for i := range imports {
		if s := &imports[i]; goes(s.ObjectMeta) {
			group.Go(func() error {
				return a.mcs.ServiceImports(s.Namespace).Delete(a.t.Context(), s.Name, metav1.DeleteOptions{})
			})
		}
	}
	a.must(group.Wait())
}

// changedObjects are those that aren't in both, as they were and as they are.
func changedObjects(before, after objects) objects {
	return objects{
		changedOf(before.namespaces, after.namespaces),
		changedOf(before.services, after.services),
		changedOf(before.slices, after.slices),
		changedOf(before.imports, after.imports),
	}
}

func changedOf[O any, P interface {
	*O
	metav1.Object
}](before, after []O) []O {
	version := func(o P) string { return string(o.GetUID()) + o.GetResourceVersion() }
	seen := map[string]int{}
	all := slices.Concat(before, after)
	for i := range all {
		seen[version(&all[i])]++
	}
	return slices.DeleteFunc(all, func(o O) bool { return seen[version(&o)] > 1 })
}
