package records

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/guard"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
)

// Of some members clients here can't connect to what a name stands for there (members.Set.Reach).
// The name is answered with the first kind of addresses in the member's reach that its service
// has: data say which those are, and of what the member's DNS says, its CIDRs.

// given is beside the kinds of a set of addresses for which gateways are in the answer.
const given guard.Kinds = 1 << 7

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
func (f *Filter) reachable(rrs []dns.RR) []dns.RR {
	of := make(map[addressSet]guard.Kinds)
	for _, rr := range rrs {
		if addr, is := Address(rr); is {
			of[addressSetOf(rr)] |= guard.KindsOf(f.Question.Member.Cluster, addr) | f.gatewaysOf(rr.Header().Rrtype)
		}
	}
	kept := make([]dns.RR, 0, len(rrs))
	for _, rr := range rrs {
		addr, is := Address(rr)
		if !is {
			kept = append(kept, rr)
			continue
		}
		set := addressSetOf(rr)
		switch kind, found := of[set].First(f.Reach); {
		case of[set]&given != 0:
		case !found && set.rrtype == f.Question.Type:
			f.Excluded[question.OutOfReach]++
		case !found:
		case kind == model.ReachGateways:
			kept = f.gateways(kept, rr)
			of[set] |= given
		case guard.KindsOf(f.Question.Member.Cluster, addr)&guard.Bit(kind) != 0:
			kept = append(kept, rr)
		}
	}
	return kept
}

// gatewaysOf returns ReachGateways where the member has a gateway of a record type's family.
func (f *Filter) gatewaysOf(rrtype uint16) guard.Kinds {
	if slices.ContainsFunc(f.Question.Member.Gateways, func(gateway netip.Addr) bool { return gateway.Is4() == (rrtype == dns.TypeA) }) {
		return guard.Bit(model.ReachGateways)
	}
	return 0
}

// gateways adds the member's gateways in the place of the addresses that rr is one of.
func (f *Filter) gateways(kept []dns.RR, rr dns.RR) []dns.RR {
	h := rr.Header()
	for _, gateway := range f.Question.Member.Gateways {
		if gateway.Is4() == (h.Rrtype == dns.TypeA) {
			kept = append(kept, AddressRecord(h.Name, h.Ttl, gateway))
		}
	}
	return kept
}

// HasOtherGateways reports whether gateways are in reach, which then are of another family than
// was asked for.
func (f *Filter) HasOtherGateways() bool {
	return slices.Contains(f.Reach, model.ReachGateways) && len(f.Question.Member.Gateways) > 0
}
