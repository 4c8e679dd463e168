package resolver

import (
	"net/netip"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/guard"
)

// nameGuard decides which names a question's member may answer with, and which addresses are given
// for them: with package guard, so that no member can take over another's clients.
type nameGuard struct {
	q     *Question
	zones *Zones
}

// trustsFollowed reports whether addr may be given for a name that a member's CNAME led to.
// Those of members were judged when they were looked up.
func (g *nameGuard) trustsFollowed(name string, addr netip.Addr) bool {
	if m := g.memberOf(name); m != nil {
		return m == g.q.Members.Local || guard.IsFromHere(g.q.Members, m, addr)
	}
	return guard.IsFrom(g.q.Members, nil, addr) || g.q.Member.Declares(addr) && guard.IsFromHere(g.q.Members, g.q.Member, addr)
}

// memberOf returns the member that is authoritative for a name: by its name in a cluster zone, or
// the local one in its own domain; nil where that is none.
func (g *nameGuard) memberOf(name string) *members.Member {
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
func (g *nameGuard) isMembers(name string) bool {
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
func (g *nameGuard) isOursName(name string) bool {
	return g.zones.Find(name) != nil || g.memberOf(name) != nil
}

// isAboveOurs reports whether a name stands above such names.
func (g *nameGuard) isAboveOurs(name string) bool {
	local := g.q.Members.Local
	return g.zones.anyBelow(name) || local != nil && query.InZone(local.ClusterDomain, name)
}
