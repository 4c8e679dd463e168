package members

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// setOfMembers is a set of that ClusterSet's members.
func setOfMembers(set *model.ClusterSet, local string) *Set {
	byName := make(map[string]*Member)
	for _, c := range set.Clusters {
		byName[c.Name] = &Member{Cluster: c}
	}
	return NewSet(set, byName, local)
}

// TestOwnerOfAll: while the local member isn't known, the members of all networks are one,
// each address one member's, several's or nobody's.
func TestOwnerOfAll(t *testing.T) {
	set := setOf(3, "cluster.local.")
	for i, c := range set.Clusters {
		c.Network = fmt.Sprint("n", i)
	}
	set.Clusters[2].PodCIDRs = set.Clusters[1].ServiceCIDRs
	for _, test := range []struct {
		local, addr, owner string
		shared             bool
	}{
		{"", "10.0.0.1", "c0", false},
		{"", "10.0.2.1", "c2", false},
		{"", "10.0.1.1", "", true},
		{"", "10.9.0.1", "", false},
		{"c1", "10.0.1.1", "c1", false},
		{"c1", "10.0.2.1", "", false},
		{"c2", "10.0.1.1", "c2", false},
		{"unknown", "10.0.1.1", "", true},
	} {
		m, shared := setOfMembers(set, test.local).Owner(netip.MustParseAddr(test.addr))
		owner := ""
		if m != nil {
			owner = m.Name
		}
		if owner != test.owner || shared != test.shared {
			t.Errorf("local %q, %s: %q, %v; want %q, %v", test.local, test.addr, owner, shared, test.owner, test.shared)
		}
	}
}

// TestReach: only members that aren't reached by what their names stand for have a reach.
func TestReach(t *testing.T) {
	set := setOf(5, "cluster.local.")
	for i, reach := range [][]model.Reach{
		1: {model.ReachServices, model.ReachGateways}, 2: {model.ReachPods}, 3: {model.ReachServices}, 4: nil,
	} {
		set.Clusters[i].Reach, set.Clusters[i].Network = reach, "here"
	}
	set.Clusters[3].Network, set.Clusters[4].Network = "there", "there"
	for _, tt := range []struct{ local, want string }{
		{"c0", "c2[pods] c4[loadBalancers gateways]"},
		{"c2", "c4[loadBalancers gateways]"},
		{"c4", "c0[loadBalancers gateways] c2[pods]"},
		{"", "c2[pods]"},
		{"unknown", "c2[pods]"},
	} {
		var got []string
		for m, reach := range setOfMembers(set, tt.local).Reach {
			got = append(got, fmt.Sprintf("%s%v", m.Name, reach))
		}
		slices.Sort(got)
		if strings.Join(got, " ") != tt.want {
			t.Errorf("local %q: %q, want %s", tt.local, got, tt.want)
		}
	}
}

// BenchmarkOwner looks for the member that has an address, and for one below others, while the local one isn't
// known, each member being in a network of its own.
func BenchmarkOwner(b *testing.B) {
	for _, members := range []int{10, 5000} {
		b.Run(fmt.Sprint(members), func(b *testing.B) {
			set := setOf(members, "cluster.local.")
			for i, c := range set.Clusters {
				c.Network = fmt.Sprint("n", i)
			}
			s, addr, above := setOfMembers(set, ""), netip.MustParseAddr("10.0.7.1"), netip.MustParsePrefix("10.200.0.0/16")
			b.ReportAllocs()
			for b.Loop() {
				s.Owner(addr)
				s.Overlaps(above)
			}
		})
	}
}
