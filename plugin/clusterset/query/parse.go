package query

import "strings"

// Kind is what a name under a cluster zone stands for.
type Kind uint8

// The kinds of names. Those before Branch are for this server alone to answer.
const (
	// None isn't in the grammar: NXDOMAIN.
	None Kind = iota
	// ZoneApex is the cluster zone itself: "lan.".
	ZoneApex
	// ZoneNameServer is the target of the zone's NS record: "ns.dns.lan.".
	ZoneNameServer
	// ZoneBranch is an empty non-terminal: "dns.lan.", or "eu.lan." where there is a
	// member "c1.eu". NXDOMAIN for it would deny all names below (RFC 8020).
	ZoneBranch
	// UnknownCluster has no member's name before the zone: NXDOMAIN.
	UnknownCluster
	// ClusterApex is a member's own zone: "c1.lan.".
	ClusterApex
	// Version is the schema's version: "dns-version.c1.lan.".
	Version
	// NameServer is the target of the member's NS record: "ns.dns.c1.lan.".
	NameServer
	// ClusterBranch is an empty non-terminal of every member's zone: "svc.c1.lan.",
	// "pod.c1.lan.", "dns.c1.lan.".
	ClusterBranch
	// Branch is an empty non-terminal where the namespace exists: "default.c1.lan.",
	// "default.svc.c1.lan.", "default.pod.c1.lan.".
	Branch
	// Service is "web.default.c1.lan." or "web.default.svc.c1.lan.".
	Service
	// Endpoint is "web-0.web.default.c1.lan.".
	Endpoint
	// Protocol is an empty non-terminal where the Service exists:
	// "_tcp.web.default.c1.lan.".
	Protocol
	// Port is "_http._tcp.web.default.c1.lan.".
	Port
	// Pod is "10-51-0-7.default.pod.c1.lan.".
	Pod
)

// Name is a parsed name under a cluster zone, or a clusterset zone. Its strings are parts of the question's
// name, in the question's case.
type Name struct {
	Kind Kind
	// Cluster is the member's label or labels, without the dot: "c1", "c1.eu".
	Cluster string
	// Suffix is the member's zone: "c1.lan.".
	Suffix string
	// Prefix is the labels before Suffix, each with its dot: "web.default.",
	// "web.default.svc.", or "" at the apex.
	Prefix string
	// Short is set for the form without "svc".
	Short bool
	// overSet is set under a clusterset zone.
	overSet bool

	labels string // of Prefix before "svc" or "pod", without the last dot
}

// Labels of the schema: the Kubernetes DNS specification, section 2.
const (
	labelService = "svc"
	labelPod     = "pod"
	labelVersion = "dns-version"
	// nameServer is what CoreDNS's kubernetes plugin calls its zone's name server.
	nameServer        = "ns.dns"
	nameServersBranch = "dns"
)

// MaxClusterLabels is how many labels a member's name may have. KEP-2149 allows dotted
// names.
const MaxClusterLabels = 2

// Names are the members' names, in lower case. They compare without regard to case.
type Names struct {
	members map[string]bool
	// branches are what members' names of two labels end in: "eu" of "c1.eu".
	branches map[string]bool
}

// NewNames returns the names of members.
func NewNames(members []string) *Names {
	n := &Names{make(map[string]bool, len(members)), make(map[string]bool)}
	for _, name := range members {
		n.members[name] = true
		if _, branch, two := strings.Cut(name, "."); two {
			n.branches[branch] = true
		}
	}
	return n
}

// Parse parses qname, which ends in a cluster zone of zoneLen bytes. The longest member's
// name before the zone is the member. It allocates nothing.
func Parse(qname string, zoneLen int, members *Names) Name {
	base := strings.TrimSuffix(qname[:len(qname)-zoneLen], ".") // the labels before the zone
	if base == "" {
		return Name{Kind: ZoneApex}
	}
	member := -1 // where its name begins
	for end, labels := len(base), 0; labels < MaxClusterLabels && end > 0; labels++ {
		start := strings.LastIndexByte(base[:end], '.') + 1
		if start > 1 && base[start-2] == '\\' && escaped(base, start-1) { // in a label that no member has: RFC 1035, section 5.1
			break
		}
		if members.members[strings.ToLower(base[start:])] {
			member = start
		}
		end = start - 1
	}
	if base[0] == nameServer[0] || base[0] == nameServer[0]-'a'+'A' {
		member = nameServerZone(base, members, member)
	}
	if member < 0 || member == len(base) {
		return Name{Kind: zoneKind(base, members, member)}
	}
	n := Name{Cluster: base[member:], Suffix: qname[member:], Prefix: qname[:member]}
	n.parsePrefix()
	return n
}

// nameServerZone returns where the zone begins whose name server base is: at its end the
// cluster zone, at a member's name the member's; else member. Name servers' names come
// first: a member called "dns", or "dns.c1", would have them.
func nameServerZone(base string, members *Names, member int) int {
	if len(base) < len(nameServer) || !equalFold(base[:len(nameServer)], nameServer) {
		return member
	}
	switch rest := base[len(nameServer):]; {
	case rest == "":
		return len(base)
	case rest[0] == '.' && members.members[strings.ToLower(rest[1:])]:
		return len(nameServer) + 1
	}
	return member
}

// zoneKind returns the kind of a name without a member.
func zoneKind(base string, members *Names, member int) Kind {
	switch {
	case member == len(base):
		return ZoneNameServer
	case equalFold(base, nameServersBranch), members.branches[strings.ToLower(base)]:
		return ZoneBranch
	}
	return UnknownCluster
}

// The kinds of names by the number of their labels before "svc" and "pod", as CoreDNS's
// kubernetes plugin counts them: two before a service are a port and a protocol.
var (
	serviceKinds = [...]Kind{ClusterBranch, Branch, Service, Endpoint, Port}
	podKinds     = [...]Kind{ClusterBranch, Branch, Pod}
)

// parsePrefix sets what Prefix stands for.
func (n *Name) parsePrefix() {
	labels, first, last, start := 0, 0, 0, 0 // first is the end of the first, last the start of the last
	for i := 0; i < len(n.Prefix); i++ {
		switch n.Prefix[i] {
		case '\\':
			i++
		case '.':
			if labels++; labels == 1 {
				first = i
			}
			last, start = start, i+1
		}
	}
	if labels == 0 {
		n.Kind = ClusterApex
		return
	}
	n.Short, n.labels = true, n.Prefix[:len(n.Prefix)-1]
	kinds := serviceKinds[:]
	switch len(n.labels) - last { // of the last label
	case len(labelService), len(labelVersion): // and of "pod" and "dns"
		if kinds = n.parseSchema(labels, last); kinds == nil {
			return
		}
		if !n.Short {
			labels--
		}
	}
	if labels >= len(kinds) {
		n.Kind = None
		return
	}
	n.Kind = kinds[labels]
	if n.Kind == Endpoint && isProtocol(n.Prefix[:first]) {
		n.Kind = Protocol
	}
}

// parseSchema parses a last label that may be one of the schema's. It returns the kinds of
// names by their labels, nil where the kind is set.
func (n *Name) parseSchema(labels, last int) []Kind {
	n.Short = false
	switch label := n.labels[last:]; {
	case equalFold(label, labelService):
		n.labels = n.labels[:max(last-1, 0)]
		return serviceKinds[:]
	case equalFold(label, labelPod):
		n.labels = n.labels[:max(last-1, 0)]
		return podKinds[:]
	case labels == 1 && equalFold(label, labelVersion):
		n.Kind = Version
		return nil
	case labels == 1 && equalFold(label, nameServersBranch):
		n.Kind = ClusterBranch
		return nil
	case labels == 2 && equalFold(n.labels, nameServer):
		n.Kind = NameServer
		return nil
	}
	n.Short = true
	return serviceKinds[:]
}

// isProtocol reports whether a label is one that no endpoint has, and every SRV name.
func isProtocol(label string) bool {
	return equalFold(label, "_tcp") || equalFold(label, "_udp") || equalFold(label, "_sctp")
}

// escaped reports whether the byte at i stands for itself: after an odd number of
// backslashes.
func escaped(s string, i int) bool {
	start := i
	for start > 0 && s[start-1] == '\\' {
		start--
	}
	return (i-start)%2 == 1
}

// IsPod reports whether only the member's DNS knows the name: it is a pod's, or stands
// above them.
func (n *Name) IsPod() bool {
	return n.Kind == Pod || n.Kind == Branch && !n.Short && equalFold(n.Prefix[len(n.Prefix)-len(labelPod+"."):], labelPod+".")
}

// MemberName returns the name to ask the member for, in its own domain (lower case, fully
// qualified) and always in the schema's form; of a Protocol, its Service's.
func (n *Name) MemberName(domain string) string {
	prefix := n.Prefix
	if n.Kind == Protocol {
		prefix = prefix[strings.IndexByte(prefix, '.')+1:]
	}
	if n.Short {
		return prefix + labelService + "." + domain
	}
	return prefix + domain
}
