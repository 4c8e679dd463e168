package question

import "github.com/coredns-clusterset/clusterset/plugin/clusterset/query"

// IsApex reports whether the name is a zone's, or a member's, own.
func (q *Question) IsApex() bool {
	if q.Zone.Kind == ReverseZone {
		return len(q.Name) == len(q.Zone.Name)
	}
	return q.Parsed.Kind == query.ZoneApex || q.Parsed.Kind == query.ClusterApex
}

// IsNameServer reports whether the name is that of a zone's name server.
func (q *Question) IsNameServer() bool {
	if q.Zone.Kind == ReverseZone {
		return SameName(q.beforeZone(), "ns.dns.")
	}
	return q.Parsed.Kind == query.ZoneNameServer || q.Parsed.Kind == query.NameServer
}

// IsAboveNameServer reports whether a reverse zone's name is "dns.", above its name server's.
func (q *Question) IsAboveNameServer() bool { return SameName(q.beforeZone(), "dns.") }

// beforeZone returns what stands before the zone, with its last dot.
func (q *Question) beforeZone() string { return q.Name[:len(q.Name)-len(q.Zone.Name)] }
