package model

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Ranges are the members' CIDRs, by network: members of different networks may use the same
// addresses.
//
// A look-up takes one map access for each prefix length in use, whatever the number of
// members, and allocates nothing.
type Ranges struct {
	lengths4, lengths6 []int
	owners             map[rangeKey][]*Cluster
	// first are the CIDRs' first addresses, by network, sorted.
	first map[string][]netip.Addr
}

type rangeKey struct {
	network string
	prefix  netip.Prefix
}

// NewRanges indexes the service and pod CIDRs of every member.
func NewRanges(clusters []*Cluster) *Ranges {
	return newRanges(clusters, func(c *Cluster) string { return c.Network })
}

// NewRangesOfAll does so for members that count as one network, "".
func NewRangesOfAll(clusters []*Cluster) *Ranges {
	return newRanges(clusters, func(*Cluster) string { return "" })
}

func newRanges(clusters []*Cluster, network func(*Cluster) string) *Ranges {
	r := &Ranges{owners: make(map[rangeKey][]*Cluster), first: make(map[string][]netip.Addr)}
	for _, c := range clusters {
		for _, p := range c.CIDRs() {
			r.add(rangeKey{network(c), p}, c)
		}
	}
	for key := range r.owners {
		r.first[key.network] = append(r.first[key.network], key.prefix.Addr())
	}
	for _, first := range r.first {
		slices.SortFunc(first, netip.Addr.Compare)
	}
	return r
}

// add is called for one member after the other.
func (r *Ranges) add(key rangeKey, c *Cluster) {
	owners := r.owners[key]
	if len(owners) > 0 && owners[len(owners)-1] == c {
		return
	}
	r.owners[key] = append(owners, c)
	r.addLength(key.prefix)
}

func (r *Ranges) addLength(p netip.Prefix) {
	lengths := &r.lengths6
	if p.Addr().Is4() {
		lengths = &r.lengths4
	}
	if !slices.Contains(*lengths, p.Bits()) {
		*lengths = append(*lengths, p.Bits())
	}
}

// Owner returns the member of network that owns addr. It is nil where none does, or several
// do, which shared reports.
func (r *Ranges) Owner(network string, addr netip.Addr) (owner *Cluster, shared bool) {
	lengths := r.lengths6
	if addr.Is4() {
		lengths = r.lengths4
	}
	for _, bits := range lengths {
		prefix, err := addr.Prefix(bits)
		if err != nil {
			return nil, false
		}
		for _, c := range r.owners[rangeKey{network, prefix}] {
			if owner != nil && owner != c {
				return nil, true
			}
			owner = c
		}
	}
	return owner, false
}

// Overlap reports whether members of network have some of those addresses: one of their
// CIDRs begins there, or is around them.
func (r *Ranges) Overlap(network string, addresses netip.Prefix) bool {
	first := r.first[network]
	i, _ := slices.BinarySearchFunc(first, addresses.Addr(), netip.Addr.Compare)
	if i < len(first) && addresses.Contains(first[i]) {
		return true
	}
	owner, shared := r.Owner(network, addresses.Addr())
	return owner != nil || shared
}

// CIDRs returns all CIDRs that a member declares, services first.
func (c *Cluster) CIDRs() []netip.Prefix {
	return append(slices.Clip(c.ServiceCIDRs), c.PodCIDRs...)
}

// Owns reports whether addr is in one of the member's CIDRs, or is a gateway of it.
func (c *Cluster) Owns(addr netip.Addr) bool {
	in := func(p netip.Prefix) bool { return p.Contains(addr) }
	return slices.ContainsFunc(c.ServiceCIDRs, in) || slices.ContainsFunc(c.PodCIDRs, in) || slices.Contains(c.Gateways, addr)
}

// Declares reports whether the ClusterSet says that addr is one of the member's.
func (c *Cluster) Declares(addr netip.Addr) bool {
	return c.Owns(addr) || slices.ContainsFunc(c.LoadBalancerCIDRs, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// Overlap is a pair of members of one network whose CIDRs share addresses.
type Overlap struct {
	A, B             *Cluster
	PrefixA, PrefixB netip.Prefix
}

func (o Overlap) String() string {
	return fmt.Sprintf("%s of %s overlaps %s of %s", o.PrefixA, o.A.Name, o.PrefixB, o.B.Name)
}

// MaxOverlaps bounds the overlaps that are looked for: a thousand members of one CIDR have
// half a million.
const MaxOverlaps = 1000

type owned struct {
	prefix netip.Prefix
	owner  *Cluster
}

func (o owned) holds(inner owned) bool {
	return o.owner.Network == inner.owner.Network && o.prefix.Overlaps(inner.prefix)
}

// Overlaps returns the pairs whose CIDRs share addresses, in the order of their networks and
// addresses, MaxOverlaps at the most. Sorted prefixes nest like brackets, so one pass with
// a list of the open ones finds them all.
func Overlaps(clusters []*Cluster) []Overlap {
	var all []owned
	for _, c := range clusters {
		for _, p := range c.CIDRs() {
			all = append(all, owned{p, c})
		}
	}
	slices.SortStableFunc(all, func(a, b owned) int {
		if byNetwork := strings.Compare(a.owner.Network, b.owner.Network); byNetwork != 0 {
			return byNetwork
		}
		if byAddr := a.prefix.Addr().Compare(b.prefix.Addr()); byAddr != 0 {
			return byAddr
		}
		return a.prefix.Bits() - b.prefix.Bits()
	})
	var open []owned
	var found []Overlap
	for _, next := range all {
		for len(open) > 0 && !open[len(open)-1].holds(next) {
			open = open[:len(open)-1]
		}
		for _, o := range open {
			if o.owner != next.owner {
				found = append(found, Overlap{o.owner, next.owner, o.prefix, next.prefix})
			}
			if len(found) == MaxOverlaps {
				return found
			}
		}
		open = append(open, next)
	}
	return found
}
