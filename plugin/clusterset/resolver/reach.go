package resolver

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

// Of some members clients here can't connect to what a name stands for there (members.Set.Reach).
// The name is answered with the first kind of addresses in the member's reach that its service
// has: data say which those are, and of what the member's DNS says, its CIDRs.

var errOutOfReach = errors.New("it has no address of the name that clients here can reach")

// nothing is the reach of a Service that has no kind of address in its member's.
var nothing = []model.Reach{}

// seen returns the Service of the question's name with the addresses that clients here can
// connect to, nil where it has them as it is in the data, and by what kinds its records are still
// to be chosen, nil for all of them.
func (q *Question) seen(d *model.Data, reach []model.Reach) (*model.Service, []model.Reach) {
	s := d.Find(q.Parsed.Key())
	if s == nil || s.Type == model.External {
		return nil, nil
	}
	at := slices.IndexFunc(reach, func(kind model.Reach) bool { return q.has(s, kind) })
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

// has reports whether there is an address of that kind for the question's name. Load balancers
// are a Service's, and lead to any of its endpoints.
func (q *Question) has(s *model.Service, kind model.Reach) bool {
	switch kind {
	case model.ReachServices:
		return s.Type == model.ClusterIP || hasEndpoints(s)
	case model.ReachPods:
		return hasEndpoints(s)
	case model.ReachLoadBalancers:
		return q.Parsed.Kind != query.Endpoint && s.Outside != nil && len(s.Outside.LoadBalancers)+len(s.Outside.ExternalIPs) > 0
	}
	return len(q.Member.Gateways) > 0
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

// kinds are some of the kinds of addresses, one bit each.
type kinds uint8

func bit(kind model.Reach) kinds { return 1 << kind }

// given is beside them, of a set of addresses for which gateways are in the answer.
const given kinds = 1 << 7

// first returns the first kind of a reach that is among them.
func (k kinds) first(reach []model.Reach) (model.Reach, bool) {
	for _, kind := range reach {
		if k&bit(kind) != 0 {
			return kind, true
		}
	}
	return 0, false
}

// kindsOf returns what an address in a reply of the member's DNS is: all that a name stands for
// there is of ReachServices.
func kindsOf(m *model.Cluster, addr netip.Addr) kinds {
	in := func(p netip.Prefix) bool { return p.Contains(addr) }
	switch {
	case slices.ContainsFunc(m.ServiceCIDRs, in):
		return bit(model.ReachServices)
	case slices.ContainsFunc(m.LoadBalancerCIDRs, in):
		return bit(model.ReachServices) | bit(model.ReachLoadBalancers)
	case len(m.PodCIDRs) == 0, slices.ContainsFunc(m.PodCIDRs, in):
		return bit(model.ReachServices) | bit(model.ReachPods)
	}
	return bit(model.ReachServices)
}

// reaches reports whether clients with that reach of the member can connect to addr.
func reaches(m *model.Cluster, reach []model.Reach, addr netip.Addr) bool {
	if slices.Contains(reach, model.ReachGateways) && slices.Contains(m.Gateways, addr) {
		return true
	}
	_, found := kindsOf(m, addr).first(reach)
	return found
}

// addressSet is the addresses of one family that a name has.
type addressSet struct {
	owner  string
	rrtype uint16
}

func addressSetOf(rr dns.RR) addressSet {
	h := rr.Header()
	return addressSet{strings.ToLower(h.Name), h.Rrtype}
}

// reachable returns the records with, of each name's addresses of a family, those of the first
// kind in the member's reach that there are; gateways stand for any. The list is another.
func (f *filter) reachable(rrs []dns.RR) []dns.RR {
	of := make(map[addressSet]kinds)
	for _, rr := range rrs {
		if addr, is := address(rr); is {
			of[addressSetOf(rr)] |= kindsOf(f.q.Member.Cluster, addr) | f.gatewaysOf(rr.Header().Rrtype)
		}
	}
	kept := make([]dns.RR, 0, len(rrs))
	for _, rr := range rrs {
		addr, is := address(rr)
		if !is {
			kept = append(kept, rr)
			continue
		}
		set := addressSetOf(rr)
		switch kind, found := of[set].first(f.reach); {
		case of[set]&given != 0:
		case !found && set.rrtype == f.q.Type:
			f.excluded[OutOfReach]++
		case !found:
		case kind == model.ReachGateways:
			kept = f.gateways(kept, rr)
			of[set] |= given
		case kindsOf(f.q.Member.Cluster, addr)&bit(kind) != 0:
			kept = append(kept, rr)
		}
	}
	return kept
}

// gatewaysOf returns ReachGateways where the member has a gateway of a record type's family.
func (f *filter) gatewaysOf(rrtype uint16) kinds {
	if slices.ContainsFunc(f.q.Member.Gateways, func(gateway netip.Addr) bool { return gateway.Is4() == (rrtype == dns.TypeA) }) {
		return bit(model.ReachGateways)
	}
	return 0
}

// gateways adds the member's gateways in the place of the addresses that rr is one of.
func (f *filter) gateways(kept []dns.RR, rr dns.RR) []dns.RR {
	h := rr.Header()
	for _, gateway := range f.q.Member.Gateways {
		if gateway.Is4() == (h.Rrtype == dns.TypeA) {
			kept = append(kept, addressRecord(h.Name, h.Ttl, gateway))
		}
	}
	return kept
}

// hasOtherGateways reports whether gateways are in reach, which then are of another family than
// was asked for.
func (f *filter) hasOtherGateways() bool {
	return slices.Contains(f.reach, model.ReachGateways) && len(f.q.Member.Gateways) > 0
}

func addressRecord(owner string, ttl uint32, addr netip.Addr) dns.RR {
	if addr.Is4() {
		return &dns.A{Hdr: dns.RR_Header{Name: owner, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: ttl}, A: addr.AsSlice()}
	}
	return &dns.AAAA{Hdr: dns.RR_Header{Name: owner, Rrtype: dns.TypeAAAA, Class: dns.ClassINET, Ttl: ttl}, AAAA: addr.AsSlice()}
}
