package selection

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// seed returns SELECTION_SEED, of the environment, or 1.
func seed(t *testing.T) uint64 {
	t.Helper()
	text, ok := os.LookupEnv("SELECTION_SEED")
	if !ok {
		return 1
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal("SELECTION_SEED: ", err)
	}
	return seed
}

// random returns candidates and rules; the small numbers make what is rare alone common
// together.
func random(r *rand.Rand) ([]Candidate, *Rules) {
	words := []string{"", "a", "b"}
	word := func() string { return words[r.IntN(len(words))] }
	rules := &Rules{Affinity: model.Affinity(1 + r.IntN(4)), LocalOnly: r.IntN(10) == 0, Weights: make(map[string]int)}
	candidates := make([]Candidate, r.IntN(8))
	local, weighted, listed := r.IntN(10), r.IntN(2) == 0, r.IntN(2) == 0
	for i := range candidates {
		c := &candidates[i]
		*c = Candidate{
			Name: fmt.Sprintf("c%d", i), Local: i == local, Region: word(), Zone: word(),
			RTT: time.Duration(r.IntN(3)) * time.Duration(r.IntN(int(time.Second))), Stale: r.IntN(4) == 0,
		}
		if r.IntN(5) > 0 {
			c.Total = 1 + r.IntN(10)
			c.Ready = max(0, r.IntN(c.Total+3)-2)
		}
		if weighted && r.IntN(3) > 0 {
			rules.Weights[c.Name] = r.IntN(4) * 5
		}
		if listed && r.IntN(3) == 0 {
			rules.Failover = append(rules.Failover, c.Name)
		}
	}
	return candidates, rules
}

// TestProperties checks what holds for all candidates and rules. It is not told how
// priorities are made.
func TestProperties(t *testing.T) {
	const rounds = 2000
	first := seed(t)
	t.Logf("SELECTION_SEED=%d", first)
	for round := range uint64(rounds) {
		r := rand.New(rand.NewPCG(first, round))
		candidates, rules := random(r)
		x := properties{t, candidates, rules, NewPlan(candidates, rules, Place{"a", "b"})}
		x.loads()
		x.picks(r)
		x.reordered(r)
		if round%20 == 0 {
			x.weights(r)
		}
		if t.Failed() {
			t.Fatalf("SELECTION_SEED=%d, round %d: %+v, %+v", first, round, candidates, *rules)
		}
	}
}

type properties struct {
	*testing.T
	candidates []Candidate
	rules      *Rules
	plan       *Plan
}

func (x *properties) mayAnswer(i int) bool {
	c := &x.candidates[i]
	weight, ok := x.rules.Weights[c.Name]
	return (c.Total == 0 || c.Ready > 0) && (!ok || weight > 0) && (c.Local || !x.rules.LocalOnly)
}

func (x *properties) loads() {
	sum, want := 0, 0
	for _, load := range x.plan.Loads() {
		sum += load
		if load < 0 {
			x.Errorf("load %d", load)
		}
	}
	for i := range x.candidates {
		if x.mayAnswer(i) {
			want = 100
		}
	}
	if sum != want {
		x.Errorf("the loads %v add up to %d, want %d", x.plan.Loads(), sum, want)
	}
}

func (x *properties) picks(r *rand.Rand) {
	live := slices.ContainsFunc(x.indices(), func(i int) bool { return x.mayAnswer(i) && !x.candidates[i].Stale })
	for range 20 {
		d := Draw{r.Uint64()}
		choice := x.plan.Pick(d)
		members := choice.Members()
		if !slices.Equal(members, x.plan.Pick(d).Members()) {
			x.Errorf("%v, then %v", members, x.plan.Pick(d).Members())
		}
		if len(members) == 0 && slices.ContainsFunc(x.indices(), x.mayAnswer) {
			x.Error("nobody answers")
		}
		for _, i := range members {
			x.member(i, choice, live)
		}
		for i := range x.candidates {
			if reason := x.plan.Reason(i, choice); slices.Contains(members, i) != (reason <= SpillOver) || reason == 0 {
				x.Errorf("%d: %v, with %v", i, reason, members)
			}
		}
	}
}

func (x *properties) member(i int, choice Choice, live bool) {
	c := &x.candidates[i]
	switch tier := x.plan.Tier(i); {
	case !x.mayAnswer(i):
		x.Errorf("%s answers", c.Name)
	case live && c.Stale:
		x.Errorf("%s answers, stale", c.Name)
	case x.rules.Weights[c.Name] > 0 && len(choice.Members()) > 1:
		x.Errorf("%s answers with others: %v", c.Name, choice.Members())
	case tier != x.plan.Tier(choice.Members()[0]) || x.plan.Loads()[tier] == 0:
		x.Errorf("%s answers in priority %d, of the loads %v", c.Name, tier, x.plan.Loads())
	}
}

func (x *properties) indices() []int {
	var all []int
	for i := range x.candidates {
		all = append(all, i)
	}
	return all
}

// reordered: the same names in another order.
func (x *properties) reordered(r *rand.Rand) {
	others := slices.Clone(x.candidates)
	r.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	other := NewPlan(others, x.rules, Place{"a", "b"})
	for range 20 {
		d := Draw{r.Uint64()}
		if a, b := names(x.candidates, x.plan.Pick(d)), names(others, other.Pick(d)); !slices.Equal(a, b) {
			x.Errorf("%v; reordered: %v", a, b)
		}
	}
}

func names(candidates []Candidate, c Choice) []string {
	var all []string
	for _, i := range c.Members() {
		all = append(all, candidates[i].Name)
	}
	return all
}

// weights: those of one priority are drawn in proportion, within six standard deviations.
func (x *properties) weights(r *rand.Rand) {
	const draws = 4000
	drawn, all, sum := make(map[int]float64), 0.0, 0.0
	effective := func(i int) float64 {
		c := &x.candidates[i]
		health := 100.0
		if c.Total > 0 {
			health = min(100, math.Floor(140*float64(c.Ready)/float64(c.Total)))
		}
		return float64(x.rules.Weights[c.Name]) * health
	}
	for range draws {
		if members := x.plan.Pick(Draw{r.Uint64()}).Members(); len(members) > 0 && effective(members[0]) > 0 {
			drawn[members[0]]++
			all++
		}
	}
	for i, c := range x.candidates {
		if x.plan.Tier(i) >= 0 && x.rules.Weights[c.Name] > 0 {
			sum += effective(i)
		}
	}
	for i, c := range x.candidates {
		if x.plan.Tier(i) < 0 || x.rules.Weights[c.Name] <= 0 || all == 0 {
			continue
		}
		part := effective(i) / sum
		if deviation := math.Sqrt(all*part*(1-part)) + .1; math.Abs(drawn[i]-all*part) > 6*deviation {
			x.Errorf("%s was drawn %v times of %v, want %.0f", c.Name, drawn[i], all, all*part)
		}
	}
}
