package guard

import (
	"net/netip"
	"slices"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Kinds are some of the kinds of addresses, one bit each.
type Kinds uint8

// Bit returns the set of one kind.
func Bit(kind model.Reach) Kinds { return 1 << kind }

// First returns the first kind of a reach that is among them.
func (k Kinds) First(reach []model.Reach) (model.Reach, bool) {
	for _, kind := range reach {
		if k&Bit(kind) != 0 {
			return kind, true
		}
	}
	return 0, false
}

// KindsOf returns what an address in a reply of the member's DNS is: all that a name stands for
// there is of ReachServices.
func KindsOf(m *model.Cluster, addr netip.Addr) Kinds {
	in := func(p netip.Prefix) bool { return p.Contains(addr) }
	switch {
	case slices.ContainsFunc(m.ServiceCIDRs, in):
		return Bit(model.ReachServices)
	case slices.ContainsFunc(m.LoadBalancerCIDRs, in):
		return Bit(model.ReachServices) | Bit(model.ReachLoadBalancers)
	case len(m.PodCIDRs) == 0, slices.ContainsFunc(m.PodCIDRs, in):
		return Bit(model.ReachServices) | Bit(model.ReachPods)
	}
	return Bit(model.ReachServices)
}

// Reaches reports whether clients with that reach of the member can connect to addr.
func Reaches(m *model.Cluster, reach []model.Reach, addr netip.Addr) bool {
	if slices.Contains(reach, model.ReachGateways) && slices.Contains(m.Gateways, addr) {
		return true
	}
	_, found := KindsOf(m, addr).First(reach)
	return found
}
