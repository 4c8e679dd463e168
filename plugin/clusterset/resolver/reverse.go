package resolver

import (
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/query"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
)

// readAddress reads whose a name of a reverse zone is. It is the next plugin's where its
// address is no member's, several members' or the local cluster's, as kubernetes, behind this
// plugin, answers for its own. So is what a clusterset asks while it isn't known which member
// this one is: it may be the same one, that took this server for another.
func (r *Resolver) readAddress(q *question.Question) {
	addr, isAddress := query.ReverseAddress(q.Name)
	if isAddress {
		q.Addr = addr
		q.Member, _ = q.Members.Owner(addr)
	}
	switch {
	case q.Member == nil && (!r.HasNext || !isAddress && isOwnReverse(q)):
		q.Owner = question.ByZone
	case r.HasNext && (q.Member == nil || q.Member == q.Members.Local):
		q.Owner, q.Member = question.ByNext, nil
	case r.HasNext && q.Members.Local == nil && q.Trail.Hops > 0:
		q.Owner, q.Member = question.ByNextUncached, nil
	}
}

// isOwnReverse reports whether a name that isn't an address' is the reverse zone's own, or
// stands above members' addresses. Were that denied, so would they be.
func isOwnReverse(q *question.Question) bool {
	below, above := query.ReversePrefix(q.Name)
	return q.IsApex() || q.IsNameServer() || q.IsAboveNameServer() || above && q.Members.Overlaps(below)
}

// ownerUnready returns who answers for the name before there is a ClusterSet.
func (r zoneAuthority) ownerUnready(q *question.Question) question.Owner {
	if q.Zone.Kind == question.ReverseZone && r.HasNext {
		return question.ByNext
	}
	return question.ByNobody
}
