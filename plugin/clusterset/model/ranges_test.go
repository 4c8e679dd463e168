package model

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

func prefixes(texts ...string) []netip.Prefix {
	var all []netip.Prefix
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func TestOwner(t *testing.T) {
	clusters := []*Cluster{
		{Name: "c1", Network: "default", ServiceCIDRs: prefixes("10.101.0.0/19"), PodCIDRs: prefixes("10.51.0.0/16")},
		{Name: "c2", Network: "default", ServiceCIDRs: prefixes("10.102.0.0/19", "fd00:2::/112")},
		{Name: "c3", Network: "default", ServiceCIDRs: prefixes("10.102.16.0/20")},
		{Name: "far", Network: "far", ServiceCIDRs: prefixes("10.101.0.0/19")},
	}
	ranges := NewRanges(clusters)
	tests := []struct {
		network, addr string
		owner         string
		shared        bool
	}{
		{"default", "10.101.0.10", "c1", false},
		{"default", "10.101.31.255", "c1", false},
		{"default", "10.101.32.0", "", false},
		{"default", "10.51.200.1", "c1", false},
		{"default", "10.102.1.1", "c2", false},
		{"default", "10.102.16.1", "", true},
		{"default", "fd00:2::a", "c2", false},
		{"default", "fd00:3::a", "", false},
		{"far", "10.101.0.10", "far", false},
		{"far", "10.102.1.1", "", false},
		{"none", "10.101.0.10", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.network+" "+tt.addr, func(t *testing.T) {
			owner, shared := ranges.Owner(tt.network, netip.MustParseAddr(tt.addr))
			name := ""
			if owner != nil {
				name = owner.Name
			}
			if name != tt.owner || shared != tt.shared {
				t.Errorf("owner %q, shared %v; want %q, %v", name, shared, tt.owner, tt.shared)
			}
		})
	}
}

// TestOverlap: as if each member were looked at.
func TestOverlap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func() netip.Prefix {
		if r.IntN(4) == 0 {
			p, _ := netip.AddrFrom16([16]byte{0xfd, 0, 15: byte(r.IntN(4))}).Prefix(4 * r.IntN(33))
			return p
		}
		p, _ := netip.AddrFrom4([4]byte{10, byte(r.IntN(4)), byte(r.IntN(4)), byte(r.IntN(4))}).Prefix(8 * r.IntN(5))
		return p
	}
	for range 2000 {
		var clusters []*Cluster
		for i := range r.IntN(5) {
			p := random()
			for p.Bits() < 9 {
				p = random()
			}
			clusters = append(clusters, &Cluster{Name: fmt.Sprint(i), Network: fmt.Sprint(r.IntN(2)), ServiceCIDRs: []netip.Prefix{p}})
		}
		ranges, all, p := NewRanges(clusters), NewRangesOfAll(clusters), random()
		any := false
		for _, network := range []string{"0", "1"} {
			want := slices.ContainsFunc(clusters, func(c *Cluster) bool { return c.Network == network && c.ServiceCIDRs[0].Overlaps(p) })
			if any = any || want; ranges.Overlap(network, p) != want {
				t.Fatalf("%s of %v in %s: want %v", p, clusters, network, want)
			}
		}
		if all.Overlap("", p) != any {
			t.Fatalf("%s of %v: want %v", p, clusters, any)
		}
	}
}

func TestOverlaps(t *testing.T) {
	tests := []struct {
		name     string
		clusters []*Cluster
		want     []string
	}{
		{"none", []*Cluster{
			{Name: "a", ServiceCIDRs: prefixes("10.0.0.0/24")}, {Name: "b", ServiceCIDRs: prefixes("10.0.1.0/24")},
		}, nil},
		{"equal", []*Cluster{
			{Name: "a", ServiceCIDRs: prefixes("10.0.0.0/24")}, {Name: "b", ServiceCIDRs: prefixes("10.0.0.0/24")},
		}, []string{"10.0.0.0/24 of a overlaps 10.0.0.0/24 of b"}},
		{"nested, not neighbours in the order", []*Cluster{
			{Name: "a", ServiceCIDRs: prefixes("10.0.0.0/8")}, {Name: "b", ServiceCIDRs: prefixes("10.1.0.0/16")},
			{Name: "c", ServiceCIDRs: prefixes("10.2.0.0/16")},
		}, []string{"10.0.0.0/8 of a overlaps 10.1.0.0/16 of b", "10.0.0.0/8 of a overlaps 10.2.0.0/16 of c"}},
		{"of one member", []*Cluster{{Name: "a", ServiceCIDRs: prefixes("10.0.0.0/8", "10.1.0.0/16")}}, nil},
		{"of two networks", []*Cluster{
			{Name: "a", Network: "x", ServiceCIDRs: prefixes("10.0.0.0/24")}, {Name: "b", Network: "y", ServiceCIDRs: prefixes("10.0.0.0/24")},
		}, nil},
		{"services and pods", []*Cluster{
			{Name: "a", ServiceCIDRs: prefixes("10.0.0.0/24")}, {Name: "b", ServiceCIDRs: prefixes("10.9.0.0/24"), PodCIDRs: prefixes("10.0.0.0/16")},
		}, []string{"10.0.0.0/16 of b overlaps 10.0.0.0/24 of a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, o := range Overlaps(tt.clusters) {
				got = append(got, o.String())
			}
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// TestOwnerAllocations keeps the look-up of an address, which every forwarded
// record goes through, free of garbage.
func TestOwnerAllocations(t *testing.T) {
	var clusters []*Cluster
	for i := range 1000 {
		clusters = append(clusters, &Cluster{Name: fmt.Sprint(i), ServiceCIDRs: prefixes(fmt.Sprintf("10.%d.%d.0/24", i/250, i%250))})
	}
	ranges, addr := NewRanges(clusters), netip.MustParseAddr("10.3.7.9")
	if n := testing.AllocsPerRun(100, func() { ranges.Owner("", addr) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
