package selection

import (
	"fmt"
	"testing"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// many returns n members with half of their endpoints ready, and weights for all.
func many(n int) ([]Candidate, map[string]int) {
	candidates, weights := make([]Candidate, n), make(map[string]int)
	for i := range candidates {
		candidates[i] = Candidate{Name: fmt.Sprintf("c%d", i), Local: i == 0, Ready: 1, Total: 2}
		weights[candidates[i].Name] = 1 + i%7
	}
	return candidates, weights
}

func TestPickAllocates(t *testing.T) {
	candidates, weights := many(50)
	for _, rules := range []Rules{{Affinity: model.AffinityLocal}, {Affinity: model.AffinityNearest, Weights: weights}} {
		p := NewPlan(candidates, &rules, Place{})
		allocations := testing.AllocsPerRun(1000, func() {
			d := NewDraw(clients[0], "web.shop", start, ttl)
			c := p.Pick(d)
			for i := range candidates {
				p.Reason(i, c)
			}
			if len(c.Members()) == 0 || d.Rank("c1") == 0 {
				t.Fatal("nobody")
			}
		})
		if allocations != 0 {
			t.Errorf("%v allocations", allocations)
		}
	}
}

func BenchmarkPick(b *testing.B) {
	for _, n := range []int{3, 50} {
		candidates, weights := many(n)
		for name, rules := range map[string]Rules{"merged": {Affinity: model.AffinityLocal}, "weights": {Weights: weights}} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				p := NewPlan(candidates, &rules, Place{})
				for i := 0; b.Loop(); i++ {
					p.Pick(Draw{mix(uint64(i))})
				}
			})
		}
	}
}

func BenchmarkNewDraw(b *testing.B) {
	for b.Loop() {
		NewDraw(clients[0], "checkout.payments", start, ttl)
	}
}

func BenchmarkNewPlan(b *testing.B) {
	candidates, weights := many(50)
	for b.Loop() {
		NewPlan(candidates, &Rules{Affinity: model.AffinityNearest, Weights: weights}, Place{})
	}
}
