package selection

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// TestPriorityLoads has the tables of Envoy's documentation, "Priority levels", and the
// example in its text.
func TestPriorityLoads(t *testing.T) {
	tests := []struct{ healthy, loads []int }{
		{[]int{100, 100}, []int{100, 0}},
		{[]int{72, 100}, []int{100, 0}},
		{[]int{71, 100}, []int{99, 1}},
		{[]int{50, 100}, []int{70, 30}},
		{[]int{25, 100}, []int{35, 65}},
		{[]int{0, 100}, []int{0, 100}},

		{[]int{72, 72}, []int{100, 0}},
		{[]int{71, 71}, []int{99, 1}},
		{[]int{50, 50}, []int{70, 30}},
		{[]int{25, 25}, []int{50, 50}},

		{[]int{100, 100, 100}, []int{100, 0, 0}},
		{[]int{72, 72, 100}, []int{100, 0, 0}},
		{[]int{71, 71, 100}, []int{99, 1, 0}},
		{[]int{50, 50, 100}, []int{70, 30, 0}},
		{[]int{25, 100, 100}, []int{35, 65, 0}},
		{[]int{25, 25, 100}, []int{35, 35, 30}},
		{[]int{25, 25, 20}, []int{36, 36, 28}},
	}
	for _, tt := range tests {
		var candidates []Candidate
		rules := Rules{Affinity: model.AffinityNone}
		for i, percent := range tt.healthy {
			name := fmt.Sprintf("p%d", i)
			candidates = append(candidates, Candidate{Name: name, Ready: percent, Total: 100})
			rules.Failover = append(rules.Failover, name)
		}
		if got := NewPlan(candidates, &rules, Place{}).Loads(); !slices.Equal(got, tt.loads) {
			t.Errorf("%v%% healthy: loads %v, want %v", tt.healthy, got, tt.loads)
		}
	}
	for _, tt := range []struct{ health, loads []int }{
		{[]int{20, 30}, []int{40, 60}},
		{[]int{0, 1, 1, 1}, []int{0, 34, 33, 33}}, // what rounding leaves
		{[]int{0, 0}, []int{0, 0}},
		{nil, nil},
	} {
		if got := loads(tt.health); !slices.Equal(got, tt.loads) {
			t.Errorf("health %v: loads %v, want %v", tt.health, got, tt.loads)
		}
	}
}

// TestWeightedLoads has the table of Envoy's documentation, "Locality weighted load
// balancing": X has weight 1, and Y has weight 2 and is healthy.
func TestWeightedLoads(t *testing.T) {
	for _, tt := range []struct{ healthy, x, y int }{
		{100, 33, 67}, {70, 33, 67}, {69, 32, 68}, {50, 26, 74}, {25, 15, 85}, {0, 0, 100},
	} {
		candidates := []Candidate{{Name: "x", Ready: tt.healthy, Total: 100}, {Name: "y", Ready: 100, Total: 100}}
		p := NewPlan(candidates, &Rules{Weights: map[string]int{"x": 1, "y": 2}}, Place{})
		weights, sum := make([]float64, 2), 0.0
		for i, s := range p.priorities[0].shares {
			weights[p.priorities[0].members[i]] = s.weight
			sum += s.weight
		}
		x, y := int(math.Round(100*weights[0]/sum)), int(math.Round(100*weights[1]/sum))
		if x != tt.x || y != tt.y {
			t.Errorf("%d%% of X healthy: %d, %d; want %d, %d", tt.healthy, x, y, tt.x, tt.y)
		}
	}
}

// TestStrict: no other priority answers while an endpoint of the first is ready.
func TestStrict(t *testing.T) {
	for _, tt := range []struct {
		ready int
		loads []int
	}{{10, []int{100, 0}}, {1, []int{100, 0}}, {0, []int{0, 100}}} {
		candidates := []Candidate{{Name: "near", Local: true, Ready: tt.ready, Total: 10}, {Name: "far", Ready: 1, Total: 10}}
		rules := Rules{Affinity: model.AffinityLocal, Strict: true}
		if got := NewPlan(candidates, &rules, Place{}).Loads(); !slices.Equal(got, tt.loads) {
			t.Errorf("%d ready: loads %v, want %v", tt.ready, got, tt.loads)
		}
	}
}
