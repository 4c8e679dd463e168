package selection

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

const ms = time.Millisecond

// text returns the priorities as "a b | c", the members that answer in each.
func (p *Plan) text(candidates []Candidate) string {
	var priorities []string
	for _, of := range p.priorities {
		var names []string
		for _, i := range of.members {
			names = append(names, candidates[i].Name)
		}
		priorities = append(priorities, strings.Join(names, " "))
	}
	return strings.Join(priorities, " | ")
}

func TestPlan(t *testing.T) {
	here := Place{Region: "kr", Zone: "kr-a"}
	c1 := Candidate{Name: "c1", Local: true, Region: "kr", Zone: "kr-a", Ready: 2, Total: 2}
	c2 := Candidate{Name: "c2", Region: "kr", Zone: "kr-a", RTT: 9 * ms, Ready: 2, Total: 2}
	c3 := Candidate{Name: "c3", Region: "kr", Zone: "kr-b", RTT: 2 * ms, Ready: 2, Total: 2}
	c4 := Candidate{Name: "c4", Region: "de", Zone: "de-a", RTT: 200 * ms, Ready: 2, Total: 2}
	c5 := Candidate{Name: "c5", RTT: 130 * ms} // its DNS alone
	c6 := Candidate{Name: "c6", Ready: 2, Total: 2}
	all := []Candidate{c6, c5, c4, c3, c2, c1}
	in := func(c Candidate, change func(*Candidate)) Candidate { change(&c); return c }
	ready := func(c Candidate, n int) Candidate { return in(c, func(c *Candidate) { c.Ready = n }) }
	stale := func(c Candidate) Candidate { return in(c, func(c *Candidate) { c.Stale = true }) }
	at := func(c Candidate, region, zone string) Candidate {
		return in(c, func(c *Candidate) { c.Region, c.Zone = region, zone })
	}
	tests := []struct {
		name       string
		candidates []Candidate
		rules      Rules
		priorities string
		loads      []int
		never      map[string]Reason // nil for none
	}{
		{"nobody", nil, Rules{Affinity: model.AffinityLocal}, "", []int{}, nil},
		{"none", all, Rules{Affinity: model.AffinityNone}, "c1 c2 c3 c4 c5 c6", []int{100}, nil},
		{"local", all, Rules{Affinity: model.AffinityLocal}, "c1 | c2 c3 c4 c5 c6", []int{100, 0}, nil},
		{"remote", all, Rules{Affinity: model.AffinityRemote}, "c2 c3 c4 c5 c6 | c1", []int{100, 0}, nil},
		{"nearest", all, Rules{Affinity: model.AffinityNearest}, "c1 | c2 | c3 | c4 c5 | c6", []int{100, 0, 0, 0, 0}, nil},

		{"local without one", []Candidate{c3, c2}, Rules{Affinity: model.AffinityLocal}, "c2 c3", []int{100}, nil},
		{"remote without one", []Candidate{c1}, Rules{Affinity: model.AffinityRemote}, "c1", []int{100}, nil},
		{"nearest by round trip", []Candidate{
			{Name: "unknown"}, {Name: "a", RTT: 3999 * time.Microsecond}, {Name: "b", RTT: 2 * ms}, {Name: "c", RTT: ms},
			{Name: "d", RTT: 900 * time.Microsecond}, {Name: "e", RTT: 4 * ms}, {Name: "f", RTT: time.Nanosecond}, {Name: "g", RTT: 1 << 62},
		}, Rules{Affinity: model.AffinityNearest}, "d f | c | a b | e | g | unknown", []int{100, 0, 0, 0, 0, 0}, nil},
		{"nearest, zones of one name", []Candidate{at(c2, "de", "kr-a"), at(c3, "", "kr-a"), at(c4, "kr", "")},
			Rules{Affinity: model.AffinityNearest}, "c3 | c4 | c2", []int{100, 0, 0}, nil},

		{"failover", all, Rules{Affinity: model.AffinityLocal, Failover: []string{"c4", "gone", "c3"}},
			"c4 | c3 | c1 | c2 c5 c6", []int{100, 0, 0, 0}, nil},
		{"weights", all, Rules{Affinity: model.AffinityLocal, Weights: map[string]int{"c4": 90, "c3": 10, "gone": 5}},
			"c3 c4 | c1 | c2 c5 c6", []int{100, 0, 0}, nil},
		{"weights and failover", all,
			Rules{Affinity: model.AffinityNone, Weights: map[string]int{"c4": 90, "c2": 10}, Failover: []string{"c2", "c6"}},
			"c2 c4 | c6 | c1 c3 c5", []int{100, 0, 0}, nil},
		{"weight 0", []Candidate{c1, c2, c3}, Rules{Affinity: model.AffinityLocal, Weights: map[string]int{"c1": 0, "c2": -1}, Failover: []string{"c1"}},
			"c3", []int{100}, map[string]Reason{"c1": ZeroWeight, "c2": ZeroWeight}},
		{"local only", all[3:], Rules{Affinity: model.AffinityRemote, LocalOnly: true}, "c1", []int{100},
			map[string]Reason{"c2": NotLocal, "c3": NotLocal}},
		{"local only without one", all[3:5], Rules{LocalOnly: true}, "", []int{},
			map[string]Reason{"c2": NotLocal, "c3": NotLocal}},

		{"no ready endpoint", []Candidate{ready(c1, 0), c2}, Rules{Affinity: model.AffinityLocal}, " | c2", []int{0, 100},
			map[string]Reason{"c1": NotReady}},
		{"none ready at all", []Candidate{ready(c1, 0), ready(c2, 0)}, Rules{Affinity: model.AffinityLocal}, "", []int{},
			map[string]Reason{"c1": NotReady, "c2": NotReady}},
		{"half ready", []Candidate{ready(c1, 1), c2}, Rules{Affinity: model.AffinityLocal}, "c1 | c2", []int{70, 30}, nil},
		{"others not ready", []Candidate{ready(c1, 1), ready(c2, 0), ready(c3, 1)}, Rules{Affinity: model.AffinityLocal},
			"c1 | c3", []int{70, 30}, map[string]Reason{"c2": NotReady}},
		{"few ready", []Candidate{{Name: "c1", Local: true, Ready: 1, Total: 1000}}, Rules{Affinity: model.AffinityLocal}, "c1", []int{100}, nil},
		{"by DNS beside one that isn't ready", []Candidate{ready(c4, 0), c5}, Rules{Affinity: model.AffinityNone, Failover: []string{}},
			"c5", []int{100}, map[string]Reason{"c4": NotReady}},
		{"by DNS counts as the others' average", []Candidate{ready(c1, 0), c5, c2}, Rules{Affinity: model.AffinityNone, Weights: map[string]int{"c1": 1, "c5": 1}},
			"c5 | c2", []int{70, 30}, map[string]Reason{"c1": NotReady}},

		{"stale beside live", []Candidate{stale(c1), c2, stale(ready(c3, 0))}, Rules{Affinity: model.AffinityLocal}, "c2", []int{100},
			map[string]Reason{"c1": Stale, "c3": NotReady}},
		{"stale beside by DNS", []Candidate{stale(c1), c5}, Rules{Affinity: model.AffinityLocal}, "c5", []int{100},
			map[string]Reason{"c1": Stale}},
		{"all stale", []Candidate{stale(c1), stale(ready(c2, 1))}, Rules{Affinity: model.AffinityRemote}, "c2 | c1", []int{70, 30}, nil},
		{"stale beside one that isn't ready", []Candidate{stale(ready(c1, 1)), ready(c2, 0), stale(c3)}, Rules{Affinity: model.AffinityLocal},
			"c1 | c3", []int{70, 30}, map[string]Reason{"c2": NotReady}},
		{"stale beside weight 0", []Candidate{stale(c1), c2}, Rules{Affinity: model.AffinityLocal, Weights: map[string]int{"c2": 0}},
			"c1", []int{100}, map[string]Reason{"c2": ZeroWeight}},
		{"local only, stale", []Candidate{stale(c1), c2}, Rules{LocalOnly: true}, "c1", []int{100}, map[string]Reason{"c2": NotLocal}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := NewPlan(tt.candidates, &tt.rules, here)
			if got := p.text(tt.candidates); got != tt.priorities || !slices.Equal(p.Loads(), tt.loads) {
				t.Errorf("priorities %q, loads %v; want %q, %v", got, p.Loads(), tt.priorities, tt.loads)
			}
			never := make(map[string]Reason)
			for i, c := range tt.candidates {
				if p.Tier(i) < 0 {
					never[c.Name] = p.Reason(i, Choice{})
				} else if of := p.priorities[p.Tier(i)]; !slices.Contains(of.members, i) {
					t.Errorf("%s isn't in its priority %d", c.Name, p.Tier(i))
				}
			}
			if !maps.Equal(never, tt.never) {
				t.Errorf("never %v, want %v", never, tt.never)
			}
		})
	}
}

// TestNearestUnknown: candidates of no known place aren't near a client of none.
func TestNearestUnknown(t *testing.T) {
	candidates := []Candidate{{Name: "a", RTT: 9 * ms}, {Name: "b", Region: "kr", Zone: "kr-a", RTT: 2 * ms}}
	p := NewPlan(candidates, &Rules{Affinity: model.AffinityNearest}, Place{})
	if got := p.text(candidates); got != "b | a" {
		t.Error(got)
	}
}

func TestReason(t *testing.T) {
	here := Place{Region: "kr", Zone: "kr-a"}
	all := []Candidate{
		{Name: "c1", Local: true, Ready: 1, Total: 2},
		{Name: "c2", Zone: "kr-a"},
		{Name: "c3", Region: "kr"},
		{Name: "c4", RTT: ms},
	}
	tests := []struct {
		rules  Rules
		choice int // of this priority
		want   string
	}{
		{Rules{Affinity: model.AffinityNone}, 0, "all alike, all alike, all alike, all alike"},
		{Rules{Affinity: model.AffinityLocal}, 0, "local, not preferred, not preferred, not preferred"},
		{Rules{Affinity: model.AffinityLocal}, 1, "not preferred, spill-over, spill-over, spill-over"},
		{Rules{Affinity: model.AffinityLocal, Failover: []string{"c2"}}, 0, "not preferred, failover, not preferred, not preferred"},
		{Rules{Affinity: model.AffinityRemote}, 0, "not preferred, remote, remote, remote"},
		{Rules{Affinity: model.AffinityNearest, Weights: map[string]int{"c1": 0}}, 0, "weight 0, same zone, not preferred, not preferred"},
		{Rules{Affinity: model.AffinityNearest, Weights: map[string]int{"c1": 0, "c2": 0}}, 0, "weight 0, weight 0, same region, not preferred"},
		{Rules{Affinity: model.AffinityNearest, Weights: map[string]int{"c1": 0, "c2": 0, "c3": 0}}, 0, "weight 0, weight 0, weight 0, nearest"},
		{Rules{Affinity: model.AffinityLocal, Weights: map[string]int{"c2": 1e9, "c3": 1}}, 0, "not preferred, weight, not drawn, not preferred"},
	}
	for _, tt := range tests {
		p := NewPlan(all, &tt.rules, here)
		var got []string
		choice := p.priorities[tt.choice].pick(Draw{1}, tt.choice)
		for i := range all {
			got = append(got, p.Reason(i, choice).String())
		}
		if joined := strings.Join(got, ", "); joined != tt.want {
			t.Errorf("%+v, priority %d: %s, want %s", tt.rules, tt.choice, joined, tt.want)
		}
	}
	for r := range Reasons {
		if r != 0 && r.String() == "" {
			t.Errorf("reason %d has no words", r)
		}
	}
}

// TestNobody: a plan in which no candidate answers has the zero Choice.
func TestNobody(t *testing.T) {
	for _, candidates := range [][]Candidate{nil, {{Name: "c1", Total: 3}}} {
		p := NewPlan(candidates, &Rules{Affinity: model.AffinityLocal}, Place{})
		if c := p.Pick(Draw{1}); c.Members() != nil {
			t.Errorf("%v of %v", c.Members(), candidates)
		}
	}
}
