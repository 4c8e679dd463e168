package services

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/guard"
)

// asTheNameStands is for members that are reached by what their names stand for in their own
// clusters.
var asTheNameStands = []model.Reach{model.ReachServices}

// part returns what a member that exports the service answers with: the first kind of
// address that clients here can reach and that it has; nil where it has none.
func (b *Builder) part(e *Export) *query.Part {
	reaches := b.set.Reach[e.member]
	if reaches == nil {
		reaches = asTheNameStands
	}
	for _, reach := range reaches {
		part := &query.Part{Cluster: e.member.Name, Service: e.of}
		switch reach {
		case model.ReachServices:
			part.Service = b.guarded(e.member, e.of)
		case model.ReachPods:
			part.Service = b.guarded(e.member, e.of)
			if e.of.Type == model.ClusterIP {
				part.Instead = endpointAddresses(part.Service)
			}
		case model.ReachLoadBalancers:
			part.Instead, part.Hostnames = b.outside(e.member, e.of.Outside), hostnames(e.of.Outside)
		case model.ReachGateways:
			part.Instead = gatewaysFor(e)
		}
		if hasAddress(part) {
			return part
		}
	}
	return nil
}

// gatewaysFor returns the member's gateways of the families that the Service has addresses of.
func gatewaysFor(e *Export) []netip.Addr {
	own := (&query.Part{Service: e.of}).Addresses()
	has := func(is4 bool) bool {
		return slices.ContainsFunc(own, func(addr netip.Addr) bool { return addr.Is4() == is4 })
	}
	all := []netip.Addr{} // not nil: there are no others
	for _, gateway := range e.member.Gateways {
		if has(gateway.Is4()) {
			all = append(all, gateway)
		}
	}
	return all
}

func hasAddress(p *query.Part) bool { return len(p.Hostnames) > 0 || len(p.Addresses()) > 0 }

func endpointAddresses(s *model.Service) []netip.Addr {
	all := []netip.Addr{} // not nil: there are no others
	for _, slice := range s.Slices {
		for i := range slice.Endpoints {
			all = append(all, slice.Endpoints[i].Addr)
		}
	}
	return query.Unique(all)
}

// outside returns the addresses of a Service's load balancers, and its external ones.
func (b *Builder) outside(m *members.Member, o *model.Outside) []netip.Addr {
	all := []netip.Addr{}
	if o == nil {
		return all
	}
	for _, list := range [][]netip.Addr{o.LoadBalancers, o.ExternalIPs} {
		for _, addr := range list {
			if b.trusts(m, addr) {
				all = append(all, addr)
			}
		}
	}
	return query.Unique(all)
}

// hostnames returns the host names of a Service's load balancers, as domain names.
func hostnames(o *model.Outside) []string {
	var names []string
	if o == nil {
		return nil
	}
	for _, name := range o.Hostnames {
		name = strings.ToLower(dns.Fqdn(name))
		if _, ok := dns.IsDomainName(name); ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// guarded returns the Service without addresses that can't be the member's own.
func (b *Builder) guarded(m *members.Member, s *model.Service) *model.Service {
	kept := *s
	kept.ClusterIPs, kept.Slices = nil, nil
	for _, addr := range s.ClusterIPs {
		if b.trusts(m, addr) {
			kept.ClusterIPs = append(kept.ClusterIPs, addr)
		}
	}
	for _, slice := range s.Slices {
		kept.Slices = append(kept.Slices, b.guardedSlice(m, slice))
	}
	return &kept
}

func (b *Builder) guardedSlice(m *members.Member, s *model.Slice) *model.Slice {
	for i := range s.Endpoints {
		if b.trusts(m, s.Endpoints[i].Addr) {
			continue
		}
		kept := *s
		kept.Endpoints = nil
		for _, e := range s.Endpoints {
			if b.trusts(m, e.Addr) {
				kept.Endpoints = append(kept.Endpoints, e)
			}
		}
		return &kept
	}
	return s
}

// trusts reports whether the member may answer with addr: it may be its own, and, where it is in
// another network, is nobody else's in this one, where clients use it.
func (b *Builder) trusts(m *members.Member, addr netip.Addr) bool {
	isForeign := b.set.Local != nil && b.set.Local.Network != m.Network && !slices.Contains(m.Gateways, addr)
	return !b.AddressGuard || guard.Trusts(b.set, m, addr) && (!isForeign || guard.IsFrom(b.set, nil, addr))
}
