package clusterset

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

// trusts reports whether the member may give addr as its own, so that no member can
// take over another's clients, or point them at themselves or at a metadata service. An
// IPv6 address that carries an IPv4 one is judged by both.
func (q *ask) trusts(addr netip.Addr) bool {
	return q.isOwn(addr) && model.EachCarried(addr, func(carried netip.Addr) bool { return q.isHarmless(q.member, carried) })
}

// isOwn reports whether addr may be the member's. A member that lists its pods' CIDRs
// has said where all its addresses are.
func (q *ask) isOwn(addr netip.Addr) bool {
	if len(q.member.PodCIDRs) > 0 {
		return q.member.declares(addr) && !model.IsHosts(addr)
	}
	return q.isHarmless(q.member, addr)
}

// isHarmless reports whether addr is neither an address that no service has, nor
// another member's than m; m is nil for a name of none.
func (q *ask) isHarmless(m *clusterMember, addr netip.Addr) bool {
	switch {
	case model.IsHosts(addr):
		return false
	case m != nil && m.declares(addr):
		return true
	}
	return !model.IsReserved(addr) && !q.snap.isOthers(m, addr)
}

// declares reports whether the ClusterSet says that addr is one of the member's.
func (m *clusterMember) declares(addr netip.Addr) bool {
	return m.Owns(addr) || slices.ContainsFunc(m.LoadBalancerCIDRs, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// isOthers reports whether addr, which isn't m's, is another member's. Addresses mean
// something within a network, and gateways everywhere.
func (s *snapshot) isOthers(m *clusterMember, addr netip.Addr) bool {
	if s.gateways[addr] {
		return true
	}
	if m == nil || s.local == nil { // without a local member all members count as one network
		owner, shared := s.owner(addr)
		return owner != nil || shared
	}
	owner, shared := s.ranges.Owner(m.Network, addr)
	return owner != nil || shared
}

// trustsFollowed reports whether addr may be given for a name that a member's CNAME led
// to. Those of members were judged when they were looked up.
func (q *ask) trustsFollowed(name string, addr netip.Addr) bool {
	if m := q.memberOf(name); m != nil {
		return m == q.snap.local || q.isFromHere(m, addr)
	}
	return q.isFrom(nil, addr) || q.member.declares(addr) && q.isFromHere(q.member, addr)
}

// isFromHere is isFrom, where addr is given as it is: of a member in another network only
// the gateways are its own here. Its other addresses mean somebody else's.
func (q *ask) isFromHere(m *clusterMember, addr netip.Addr) bool {
	if q.snap.foreign(m) && !slices.Contains(m.Gateways, addr) {
		m = nil
	}
	return q.isFrom(m, addr)
}

// isFrom reports whether addr may be given for a name of m, or of no member.
func (q *ask) isFrom(m *clusterMember, addr netip.Addr) bool {
	return q.isHarmless(m, addr) && model.EachCarried(addr, func(carried netip.Addr) bool { return q.isHarmless(m, carried) })
}

// memberOf gives the member that has the say about a name: by its name here, or the
// local one in its own domain. It is nil where that is none.
func (q *ask) memberOf(name string) *clusterMember {
	if zone := q.p.zone(name); zone != "" && !query.IsReverse(zone) {
		n := query.Parse(name, len(zone), q.snap)
		return q.snap.member(n.Cluster)
	}
	if q.snap.local != nil && query.InZone(name, q.snap.local.ClusterDomain) {
		return q.snap.local
	}
	return nil
}

// isMembers reports whether a name, which ends in the member's zone, is one that the member
// has the say about: not the zone's own, as its name server's, nor one of a member that is
// named below it ("c1.eu" and "eu").
func (q *ask) isMembers(name string) bool {
	if name == q.qname {
		return true
	}
	zone := q.zone
	if query.IsReverse(zone) {
		zone = q.p.primaryZone()
	}
	n := query.Parse(name, len(zone), q.snap)
	return (n.Kind == query.None || n.Kind >= query.Branch) && q.snap.member(n.Cluster) == q.member
}

// isOurs reports whether a name is answered here: in a zone of this server block, or in
// the local cluster's own domain.
func (q *ask) isOurs(name string) bool { return q.p.zone(name) != "" || q.memberOf(name) != nil }

// isAboveOurs reports whether a name stands above such names.
func (q *ask) isAboveOurs(name string) bool {
	isAbove := func(zone string) bool { return query.InZone(zone, name) }
	return slices.ContainsFunc(q.p.zones, isAbove) || q.snap.local != nil && isAbove(q.snap.local.ClusterDomain)
}

// guarded is why a reply has nothing left to give.
func (q *ask) guarded() error {
	if q.addr.IsValid() {
		return q.memberError(errNames)
	}
	return q.memberError(errAddresses)
}

var (
	errAddresses = errors.New("every address it gave is outside its CIDRs or another's")
	errNames     = errors.New("every name it gave is outside its domain")
)
