package resolver

import (
	"net/netip"
	"slices"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

// nothing is the reach of a Service that has no kind of address in its member's.
var nothing = []model.Reach{}

// seen returns the Service of a member's name with the addresses that clients here can
// connect to, nil where it has them as it is in the data, and by what kinds its records are still
// to be chosen, nil for all of them. The first kind in the member's reach that it has counts.
func seen(m *members.Member, n *query.Name, d *model.Data, reach []model.Reach) (*model.Service, []model.Reach) {
	s := d.Find(n.Key())
	if s == nil || s.Type == model.External {
		return nil, nil
	}
	at := slices.IndexFunc(reach, func(kind model.Reach) bool { return has(m, n, s, kind) })
	if at < 0 {
		return nil, nothing
	}
	switch reach[at] {
	case model.ReachPods:
		return ofPods(s), nil
	case model.ReachLoadBalancers:
		return ofLoadBalancers(s), nil
	case model.ReachGateways:
		return nil, reach[at : at+1]
	}
	return nil, nil
}

// has reports whether there is an address of that kind for a member's name. Load balancers
// are a Service's, and lead to any of its endpoints.
func has(m *members.Member, n *query.Name, s *model.Service, kind model.Reach) bool {
	switch kind {
	case model.ReachServices:
		return s.Type == model.ClusterIP || hasEndpoints(s)
	case model.ReachPods:
		return hasEndpoints(s)
	case model.ReachLoadBalancers:
		return n.Kind != query.Endpoint && s.Outside != nil && len(s.Outside.LoadBalancers)+len(s.Outside.ExternalIPs) > 0
	}
	return len(m.Gateways) > 0
}

func hasEndpoints(s *model.Service) bool {
	return slices.ContainsFunc(s.Slices, func(slice *model.Slice) bool { return len(slice.Endpoints) > 0 })
}

// ofPods returns the Service as a headless one: its SRV records have the endpoints' own ports.
func ofPods(s *model.Service) *model.Service {
	seen := *s
	seen.Type = model.Headless
	return &seen
}

// ofLoadBalancers returns the Service with its load balancers' addresses, at its own ports.
func ofLoadBalancers(s *model.Service) *model.Service {
	seen := *s
	seen.Type = model.ClusterIP
	seen.ClusterIPs = slices.Concat(s.Outside.LoadBalancers, s.Outside.ExternalIPs)
	slices.SortFunc(seen.ClusterIPs, netip.Addr.Compare)
	seen.ClusterIPs = slices.Compact(seen.ClusterIPs)
	return &seen
}
