package records

import (
	"net/netip"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/guard"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
)

// Guard decides which names a question's member may answer with, and which addresses are given for
// them, by package guard: no member can take over another's clients.
type Guard struct {
	Question *question.Question
	Zones    *question.Zones
}

// trustsFollowed reports whether addr may be given for a name that a member's CNAME led to.
// Those of members were judged when they were looked up.
func (g *Guard) trustsFollowed(name string, addr netip.Addr) bool {
	if m := g.memberOf(name); m != nil {
		return m == g.Question.Members.Local || guard.IsFromHere(g.Question.Members, m, addr)
	}
	return guard.IsFrom(g.Question.Members, nil, addr) || g.Question.Member.Declares(addr) && guard.IsFromHere(g.Question.Members, g.Question.Member, addr)
}

// memberOf returns the member that is authoritative for a name: by its name in a cluster zone, or
// the local one in its own domain; nil where that is none.
func (g *Guard) memberOf(name string) *members.Member {
	set := g.Question.Members
	if zone := g.Zones.Find(name); zone != nil && zone.Kind == question.ClusterZone {
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
func (g *Guard) isMembers(name string) bool {
	if name == g.Question.Name {
		return true
	}
	zone := g.Question.Zone.Name
	if g.Question.Zone.Kind == question.ReverseZone {
		zone = g.Zones.Primary()
	}
	n := query.Parse(name, len(zone), g.Question.Members.Names)
	return (n.Kind == query.None || n.Kind >= query.Branch) && g.Question.Members.Member(n.Cluster) == g.Question.Member
}

// isOursName reports whether a name is answered here: in a zone of this server block, or in
// the local cluster's own domain.
func (g *Guard) isOursName(name string) bool {
	return g.Zones.Find(name) != nil || g.memberOf(name) != nil
}

// isAboveOurs reports whether a name stands above such names.
func (g *Guard) isAboveOurs(name string) bool {
	local := g.Question.Members.Local
	return g.Zones.AnyBelow(name) || local != nil && query.InZone(local.ClusterDomain, name)
}
