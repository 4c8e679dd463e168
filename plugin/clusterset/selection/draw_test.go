package selection

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

const ttl = 5 * time.Second

var (
	start   = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	clients = neighbours(20000)
)

// neighbours returns addresses that follow one another, as those of pods do.
func neighbours(n int) []netip.Addr {
	all := []netip.Addr{netip.MustParseAddr("10.51.0.1")}
	for len(all) < n {
		all = append(all, all[len(all)-1].Next())
	}
	return all
}

// ready returns a member with so many percent of its endpoints ready.
func ready(name string, percent int) Candidate {
	return Candidate{Name: name, Ready: percent, Total: 100}
}

// picks returns the members that each client gets at one time, by name.
func picks(candidates []Candidate, rules *Rules) []string {
	p := NewPlan(candidates, rules, Place{})
	names := make([]string, len(clients))
	for i, client := range clients {
		for _, member := range p.Pick(NewDraw(client, "web.shop", start, ttl)).Members() {
			names[i] += candidates[member].Name
		}
	}
	return names
}

// TestCanary: a canary of 10% gets 10% of the replies, give or take one: of the windows of
// one resolver, and of many clients in one window. By chance alone, 20,000 draws have a
// standard deviation of 0.2%.
func TestCanary(t *testing.T) {
	candidates := []Candidate{ready("stable", 100), ready("canary", 100)}
	p := NewPlan(candidates, &Rules{Weights: map[string]int{"stable": 90, "canary": 10}}, Place{})
	windows, atOnce := 0, 0
	for i, client := range clients {
		windows += p.Pick(NewDraw(clients[0], "web.shop", start.Add(time.Duration(i)*ttl), ttl)).Members()[0]
		atOnce += p.Pick(NewDraw(client, "web.shop", start, ttl)).Members()[0]
	}
	for what, n := range map[string]int{"windows": windows, "clients": atOnce} {
		if percent := 100 * float64(n) / float64(len(clients)); math.Abs(percent-10) > 1 {
			t.Errorf("%.2f%% of %s, want 10", percent, what)
		}
	}
}

// TestMemberRemoved: only the clients of a member that is removed get another, and they
// spread by the others' weights.
func TestMemberRemoved(t *testing.T) {
	rules := Rules{Weights: map[string]int{"a": 1, "b": 2, "c": 3, "d": 4}}
	all := []Candidate{ready("a", 100), ready("b", 100), ready("c", 100), ready("d", 100)}
	before, after := picks(all, &rules), picks(all[:3], &rules)
	moved := make(map[string]float64)
	for i := range before {
		if before[i] == "d" {
			moved[after[i]]++
		} else if after[i] != before[i] {
			t.Fatalf("%v: %s, then %s", clients[i], before[i], after[i])
		}
	}
	for name, weight := range map[string]float64{"a": 1, "b": 2, "c": 3} {
		if part := moved[name] / float64(len(clients)); math.Abs(part-.4*weight/6) > .01 {
			t.Errorf("%.3f moved to %s, of weight %v", part, name, weight)
		}
	}
}

// TestWeightGrows: clients come to the member whose weight grows, and no others move.
func TestWeightGrows(t *testing.T) {
	candidates := []Candidate{ready("a", 100), ready("b", 100), ready("c", 100)}
	before := picks(candidates, &Rules{Weights: map[string]int{"a": 50, "b": 40, "c": 10}})
	after := picks(candidates, &Rules{Weights: map[string]int{"a": 50, "b": 40, "c": 20}})
	for i := range before {
		if after[i] != before[i] && after[i] != "c" {
			t.Fatalf("%v: %s, then %s", clients[i], before[i], after[i])
		}
	}
}

// TestSpillOver: as fewer endpoints are ready, clients leave for the next priorities as the
// loads say, and none comes back.
func TestSpillOver(t *testing.T) {
	rules := Rules{Affinity: model.AffinityNone, Failover: []string{"first", "small", "last"}}
	before := make([]int, len(clients))
	for percent := 100; percent >= 0; percent -= 5 {
		p := NewPlan([]Candidate{ready("first", percent), ready("small", 25), ready("last", 100)}, &rules, Place{})
		counts := make([]float64, 3)
		for i, client := range clients {
			after := p.Pick(NewDraw(client, "web.shop", start, ttl)).Members()[0]
			if after < before[i] {
				t.Fatalf("%v comes back at %d%%", client, percent)
			}
			before[i] = after
			counts[after]++
		}
		for tier, load := range p.Loads() {
			if got := 100 * counts[tier] / float64(len(clients)); math.Abs(got-float64(load)) > 1 {
				t.Errorf("%d%% ready: priority %d has %.2f%% of the clients, want %d", percent, tier, got, load)
			}
		}
	}
}

// TestWindow: a client's draw changes once a window, at its own edge, and all questions
// between two edges have the same, whatever their type.
func TestWindow(t *testing.T) {
	const step, few = 50 * time.Millisecond, 2000
	atOnce := make(map[time.Duration]int)
	for _, client := range clients[:few] {
		changes := 0
		for at := time.Duration(0); at < ttl; at += step {
			if NewDraw(client, "web.shop", start.Add(at), ttl) != NewDraw(client, "web.shop", start.Add(at+step), ttl) {
				changes++
				atOnce[at]++
			}
		}
		if changes != 1 {
			t.Fatalf("%v changes %d times", client, changes)
		}
	}
	for at, n := range atOnce {
		if n > few*3/100 {
			t.Errorf("%d of %d change at %v", n, few, at)
		}
	}
}

func TestDraw(t *testing.T) {
	v4, v6 := netip.MustParseAddr("10.51.0.1"), netip.MustParseAddr("fd00:1::a")
	d := NewDraw(v4, "web.shop", start, ttl)
	for _, tt := range []struct {
		name string
		draw Draw
		same bool
	}{
		{"mapped", NewDraw(netip.AddrFrom16(v4.As16()), "web.shop", start, ttl), true},
		{"another client", NewDraw(v4.Next(), "web.shop", start, ttl), false},
		{"IPv6", NewDraw(v6, "web.shop", start, ttl), false},
		{"another network", NewDraw(netip.MustParseAddr("64:ff9b::ffff:a33:1"), "web.shop", start, ttl), false},
		{"another name", NewDraw(v4, "web.shops", start, ttl), false},
		{"another window", NewDraw(v4, "web.shop", start.Add(ttl), ttl), false},
		{"no address", NewDraw(netip.Addr{}, "web.shop", start, ttl), false},
	} {
		if (tt.draw == d) != tt.same {
			t.Errorf("%s: %v, beside %v", tt.name, tt.draw, d)
		}
	}
	if NewDraw(v6, "web.shop", start, 0) != NewDraw(v6, "web.shop", start, time.Second) {
		t.Error("a window of 0 isn't a second")
	}
}

// TestDrawIsFixed: replicas of different versions agree too.
func TestDrawIsFixed(t *testing.T) {
	d := NewDraw(netip.MustParseAddr("10.51.0.1"), "web.shop", start, ttl)
	got := []uint64{d.Rank("c1"), d.Rank("c2.eu"), uint64(d.percent())}
	if want := []uint64{0x5d31c921531c159c, 0x1a96f8a44d5c7441, 76}; !slices.Equal(got, want) {
		t.Errorf("%#x, want %#x", got, want)
	}
}

// TestRank: each of many members is the last for as many clients, and the first of the
// order is the one that equal weights draw.
func TestRank(t *testing.T) {
	candidates, weights := many(10)
	last := make(map[string]int)
	for i := range candidates {
		weights[candidates[i].Name] = 1
	}
	p := NewPlan(candidates, &Rules{Weights: weights}, Place{})
	for _, client := range clients {
		d := NewDraw(client, "web.shop", start, ttl)
		order := slices.SortedFunc(slices.Values(candidates), func(a, b Candidate) int {
			if d.Rank(a.Name) > d.Rank(b.Name) {
				return -1
			}
			return 1
		})
		last[order[9].Name]++
		if drawn := candidates[p.Pick(d).Members()[0]].Name; p.Pick(d).tier == 0 && drawn != order[0].Name {
			t.Fatalf("%v draws %s, of %v", client, drawn, fmt.Sprint(order))
		}
	}
	for name, n := range last {
		if math.Abs(float64(n)/float64(len(clients))-.1) > .01 {
			t.Errorf("%s is the last of %d", name, n)
		}
	}
}
