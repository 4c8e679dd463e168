package model

import (
	"fmt"
	"slices"
	"testing"
)

// TestPolicy: the first one that is for a service; "*" is any name, or its end, and nothing else
// is special.
func TestPolicy(t *testing.T) {
	set := func(patterns ...string) *ClusterSet {
		s := &ClusterSet{}
		for _, p := range patterns {
			s.Policies = append(s.Policies, Policy{Services: []string{"none/none", p}})
		}
		return s
	}
	for _, tt := range []struct {
		patterns        []string
		namespace, name string
		want            int // -1 is none
	}{
		{nil, "shop", "web", -1},
		{[]string{"shop/web"}, "shop", "web", 0},
		{[]string{"shop/web"}, "shop", "webs", -1},
		{[]string{"shop/web"}, "shops", "web", -1},
		{[]string{"shop/api", "shop/*", "*/*"}, "shop", "web", 1},
		{[]string{"*/api", "*/*"}, "shop", "web", 1},
		{[]string{"*/web"}, "shop", "web", 0},
		{[]string{"shop-*/web"}, "shop-kr", "web", 0},
		{[]string{"shop-*/web"}, "shop-", "web", 0},
		{[]string{"shop-*/web"}, "shop", "web", -1},
		{[]string{"shop/api-*"}, "shop", "api-v1", 0},
		{[]string{"shop/api-*"}, "shop", "v1-api-", -1},
		{[]string{"*/*"}, "a/b", "c", 0},
		{[]string{"*"}, "shop", "web", -1},
		{[]string{"a/*"}, "a", "b/c", 0},
		{[]string{"s?op/w[e]b", `shop/\\web`}, "shop", "web", -1},
		{[]string{"s?op/w[e]b"}, "s?op", "w[e]b", 0},
		{[]string{"shop/["}, "shop", "[", 0},
	} {
		s, want := set(tt.patterns...), (*Policy)(nil)
		if tt.want >= 0 {
			want = &s.Policies[tt.want]
		}
		if got := s.Policy(tt.namespace, tt.name); got != want {
			t.Errorf("%q of %s/%s: %v", tt.patterns, tt.namespace, tt.name, got)
		}
	}
}

func TestOffers(t *testing.T) {
	for _, tt := range []struct {
		namespaces []string
		namespace  string
		want       bool
	}{
		{nil, "shop", true},
		{[]string{}, "shop", false},
		{[]string{"*"}, "shop", true},
		{[]string{"pay", "shop"}, "shop", true},
		{[]string{"shop"}, "shops", false},
		{[]string{"shop-*"}, "shop-kr", true},
		{[]string{"shop-*"}, "shop", false},
		{[]string{"shop-*"}, "a-shop-kr", false},
		{[]string{"[s]hop", "s?op", `\\shop`}, "shop", false},
	} {
		c := &Cluster{Namespaces: tt.namespaces}
		if got := c.Offers(tt.namespace); got != tt.want {
			t.Errorf("%q of %s: %v", tt.namespaces, tt.namespace, got)
		}
	}
}

func TestReachFrom(t *testing.T) {
	for _, tt := range []struct {
		reach   []Reach
		network string
		want    string
	}{
		{nil, "here", "[services]"},
		{nil, "there", "[loadBalancers gateways]"},
		{[]Reach{ReachPods, ReachGateways}, "here", "[pods gateways]"},
		{[]Reach{ReachServices}, "there", "[services]"},
	} {
		c := &Cluster{Network: "here", Reach: tt.reach}
		if got := fmt.Sprintf("%v", c.ReachFrom(tt.network)); got != tt.want {
			t.Errorf("%v from %s: %s, want %s", tt.reach, tt.network, got, tt.want)
		}
	}
}

// TestWords: each value has the word that it is read from.
func TestWords(t *testing.T) {
	for word, a := range Affinities {
		if a.String() != word {
			t.Errorf("%s: %s", word, a)
		}
	}
	for word, r := range Reaches {
		if r.String() != word {
			t.Errorf("%s: %s", word, r)
		}
	}
}

// TestMatchingAllocations: queries match names with patterns.
func TestMatchingAllocations(t *testing.T) {
	s := &ClusterSet{Policies: []Policy{{Services: slices.Repeat([]string{"shop-*/a*"}, 100)}}}
	c := &Cluster{Namespaces: slices.Repeat([]string{"shop-*"}, 100)}
	if n := testing.AllocsPerRun(100, func() { s.Policy("shop-kr", "web"); c.Offers("pay") }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
