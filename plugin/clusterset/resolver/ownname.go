package resolver

import "github.com/coredns-clusterset/clusterset/plugin/clusterset/query"

// isApex reports whether the name is a zone's, or a member's, own.
func (q *Question) isApex() bool {
	if q.Zone.Kind == ReverseZone {
		return len(q.Name) == len(q.Zone.Name)
	}
	return q.Parsed.Kind == query.ZoneApex || q.Parsed.Kind == query.ClusterApex
}

// isNameServer reports whether the name is that of a zone's name server.
func (q *Question) isNameServer() bool {
	if q.Zone.Kind == ReverseZone {
		return sameName(q.beforeZone(), "ns.dns.")
	}
	return q.Parsed.Kind == query.ZoneNameServer || q.Parsed.Kind == query.NameServer
}

// isAboveNameServer reports whether a reverse zone's name is "dns.", above its name server's.
func (q *Question) isAboveNameServer() bool { return sameName(q.beforeZone(), "dns.") }

// beforeZone returns what stands before the zone, with its last dot.
func (q *Question) beforeZone() string { return q.Name[:len(q.Name)-len(q.Zone.Name)] }
