package resolver

import (
	"net/netip"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
)

// guard decides which addresses and names a question's member may answer with: so
// that no member can take over another's clients, or point them at themselves or at a
// metadata service.
type guard struct {
	q     *Question
	zones *Zones
}

// trusts reports whether the member may give addr as its own. A member that lists its pods'
// CIDRs has said where all its addresses are.
func (g *guard) trusts(addr netip.Addr) bool {
	m := g.q.Member
	return (len(m.PodCIDRs) == 0 || m.Declares(addr)) && g.isFrom(m, addr)
}

// isFrom reports whether addr may be given for a name of m, or of no member. An IPv6 address
// that carries an IPv4 one is judged by both.
func (g *guard) isFrom(m *members.Member, addr netip.Addr) bool {
	return g.isHarmless(m, addr) && model.EachCarried(addr, func(carried netip.Addr) bool { return g.isHarmless(m, carried) })
}

// isHarmless reports whether addr is neither an address that no service has, nor another
// member's than m; m is nil for a name of none.
func (g *guard) isHarmless(m *members.Member, addr netip.Addr) bool {
	switch {
	case model.IsHosts(addr):
		return false
	case m != nil && m.Declares(addr):
		return true
	}
	return !model.IsReserved(addr) && !g.q.Members.IsOthers(m, addr)
}

// trustsFollowed reports whether addr may be given for a name that a member's CNAME led to.
// Those of members were judged when they were looked up.
func (g *guard) trustsFollowed(name string, addr netip.Addr) bool {
	if m := g.memberOf(name); m != nil {
		return m == g.q.Members.Local || g.isFromHere(m, addr)
	}
	return g.isFrom(nil, addr) || g.q.Member.Declares(addr) && g.isFromHere(g.q.Member, addr)
}

// isFromHere is isFrom, where addr is given as it is: of a member that isn't reached by all of its
// addresses only those in reach are its own here. The others mean somebody else's.
func (g *guard) isFromHere(m *members.Member, addr netip.Addr) bool {
	if reach := g.q.Members.Reach[m]; reach != nil && !reaches(m.Cluster, reach, addr) {
		m = nil
	}
	return g.isFrom(m, addr)
}

// memberOf returns the member that is authoritative for a name: by its name in a cluster zone, or
// the local one in its own domain; nil where that is none.
func (g *guard) memberOf(name string) *members.Member {
	set := g.q.Members
	if zone := g.zones.Find(name); zone != nil && zone.Kind == ClusterZone {
		n := query.Parse(name, len(zone.Name), set.Names)
		return set.Member(n.Cluster)
	}
	if set.Local != nil && query.InZone(name, set.Local.ClusterDomain) {
		return set.Local
	}
	return nil
}

// isMembers reports whether a name, which ends in the member's zone, is one that the member
// is authoritative for: not the zone's own, as its name server's, nor one of a member that is
// named below it ("c1.eu" and "eu").
func (g *guard) isMembers(name string) bool {
	if name == g.q.Name {
		return true
	}
	zone := g.q.Zone.Name
	if g.q.Zone.Kind == ReverseZone {
		zone = g.zones.Primary()
	}
	n := query.Parse(name, len(zone), g.q.Members.Names)
	return (n.Kind == query.None || n.Kind >= query.Branch) && g.q.Members.Member(n.Cluster) == g.q.Member
}

// isOursName reports whether a name is answered here: in a zone of this server block, or in
// the local cluster's own domain.
func (g *guard) isOursName(name string) bool {
	return g.zones.Find(name) != nil || g.memberOf(name) != nil
}

// isAboveOurs reports whether a name stands above such names.
func (g *guard) isAboveOurs(name string) bool {
	local := g.q.Members.Local
	return g.zones.anyBelow(name) || local != nil && query.InZone(local.ClusterDomain, name)
}
