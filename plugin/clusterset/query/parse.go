package query

import "strings"

// Kind is what a name under a cluster zone stands for.
type Kind uint8

// The kinds of names. What is before Branch is nobody's but this server's to answer.
const (
	// None does not exist in the grammar: NXDOMAIN.
	None Kind = iota
	// ZoneApex is the cluster zone itself: "lan.".
	ZoneApex
	// ZoneNameServer is the name that the zone's NS record gives: "ns.dns.lan.".
	ZoneNameServer
	// ZoneBranch exists for what is below it: "dns.lan.", or "eu.lan." for a
	// member "c1.eu". RFC 8020: were it NXDOMAIN, so would be all below.
	ZoneBranch
	// UnknownCluster has no member's name before the zone: NXDOMAIN.
	UnknownCluster
	// ClusterApex is a member's own zone: "c1.lan.".
	ClusterApex
	// Version is the schema's version: "dns-version.c1.lan.".
	Version
	// NameServer is the name that the member's NS record gives: "ns.dns.c1.lan.".
	NameServer
	// ClusterBranch exists in every member's zone for what is below it:
	// "svc.c1.lan.", "pod.c1.lan.", "dns.c1.lan.".
	ClusterBranch
	// Branch exists, where the namespace does, for what is below it:
	// "default.c1.lan.", "default.svc.c1.lan.", "default.pod.c1.lan.".
	Branch
	// Service is "web.default.c1.lan." or "web.default.svc.c1.lan.".
	Service
	// Endpoint is "web-0.web.default.c1.lan.".
	Endpoint
	// Protocol exists, where the Service does, for the Ports below it:
	// "_tcp.web.default.c1.lan.".
	Protocol
	// Port is "_http._tcp.web.default.c1.lan.".
	Port
	// Pod is "10-51-0-7.default.pod.c1.lan.".
	Pod
)

// Name is a parsed name under a cluster zone. Its strings are parts of the
// question's name, in the question's case, and nothing is allocated.
type Name struct {
	Kind Kind
	// Cluster is the member's label or labels, without the dot: "c1", "c1.eu".
	Cluster string
	// Suffix is the member's zone: "c1.lan.".
	Suffix string
	// Prefix is what stands before Suffix, with its last dot: "web.default.",
	// "web.default.svc.", or "" at the apex.
	Prefix string
	// Short is the form that leaves out "svc".
	Short bool
}

// Labels of the schema: the Kubernetes DNS specification, section 2.
const (
	labelService = "svc"
	labelPod     = "pod"
	labelVersion = "dns-version"
	// nameServer is what CoreDNS's kubernetes plugin calls its zone's server.
	nameServer        = "ns.dns"
	nameServersBranch = "dns"
)

// MaxClusterLabels is how many labels a member's name may have (KEP-2149 allows
// dotted names; DESIGN.md section 3 allows two).
const MaxClusterLabels = 2

// Names are the members' names, whatever the case of what is asked.
type Names interface {
	// IsMember tells whether a member has that name.
	IsMember(name string) bool
	// IsBranch tells whether a member's name of two labels ends in that one.
	IsBranch(label string) bool
}

// Parse reads qname, which ends in zone (whose length in bytes is zoneLen), as
// a name of the cluster zone. The longest member's name that ends the question
// is the member.
func Parse(qname string, zoneLen int, members Names) Name {
	base := strings.TrimSuffix(qname[:len(qname)-zoneLen], ".")
	if base == "" {
		return Name{Kind: ZoneApex}
	}
	start := nameServersZone(base, members)
	if start < 0 {
		start = clusterStart(base, members)
	}
	if start == len(base) {
		return Name{Kind: ZoneNameServer}
	}
	if start < 0 {
		return Name{Kind: zoneKind(base, members)}
	}
	n := Name{Cluster: base[start:], Suffix: qname[start:], Prefix: qname[:start]}
	n.Kind, n.Short = kindOf(n.Prefix)
	return n
}

// IsPod tells of names that only the member's DNS knows: those of pods.
func (n *Name) IsPod() bool {
	if n.Kind == Pod {
		return true
	}
	_, last := cutLast(n.Prefix)
	return n.Kind == Branch && strings.EqualFold(last, labelPod)
}

// nameServersZone tells where in base, if it is the name of a zone's own name server,
// that zone begins: at its end the cluster zone, at a member's name the member's; else
// -1. It comes before all members' names: one called "dns", or "dns.c1", would have it.
func nameServersZone(base string, members Names) int {
	if len(base) < len(nameServer) || !equalFold(base[:len(nameServer)], nameServer) {
		return -1
	}
	switch rest := base[len(nameServer):]; {
	case rest == "":
		return len(base)
	case rest[0] == '.' && members.IsMember(rest[1:]):
		return len(nameServer) + 1
	}
	return -1
}

// zoneKind tells what base, the labels before the zone, is without a member.
func zoneKind(base string, members Names) Kind {
	switch {
	case equalFold(base, nameServersBranch), members.IsBranch(base):
		return ZoneBranch
	}
	return UnknownCluster
}

// clusterStart finds where the longest member's name at the end of base begins,
// or -1.
func clusterStart(base string, members Names) int {
	found := -1
	for end, labels := len(base), 0; labels < MaxClusterLabels && end > 0; labels++ {
		start := strings.LastIndexByte(base[:end], '.') + 1
		if start > 0 && escaped(base, start-1) { // a label no member has: RFC 1035, section 5.1
			return found
		}
		if members.IsMember(base[start:]) {
			found = start
		}
		end = start - 1
	}
	return found
}

// kindOf tells what prefix, all labels before the member's zone, stands for.
func kindOf(prefix string) (kind Kind, short bool) {
	if prefix == "" {
		return ClusterApex, false
	}
	if equalFold(prefix, nameServer+".") {
		return NameServer, false
	}
	last, rest := lastLabel(prefix)
	if strings.EqualFold(last, labelPod) {
		return podKind(countLabels(rest)), false
	}
	if strings.EqualFold(last, labelService) {
		return serviceKind(rest), false
	}
	if rest == "" && strings.EqualFold(last, labelVersion) {
		return Version, false
	}
	if rest == "" && equalFold(last, nameServersBranch) {
		return ClusterBranch, false
	}
	return serviceKind(prefix), true
}

// serviceKind goes by the number of labels before "svc", as CoreDNS's
// kubernetes plugin does: two labels before a service are a port and a protocol.
func serviceKind(labels string) Kind {
	switch countLabels(labels) {
	case 0:
		return ClusterBranch
	case 1:
		return Branch
	case 2:
		return Service
	case 3:
		if isProtocol(labels[:strings.IndexByte(labels, '.')]) {
			return Protocol
		}
		return Endpoint
	case 4:
		return Port
	}
	return None
}

// isProtocol tells of a label that no endpoint has, and every SRV name.
func isProtocol(label string) bool {
	return equalFold(label, "_tcp") || equalFold(label, "_udp") || equalFold(label, "_sctp")
}

func podKind(labels int) Kind {
	switch labels {
	case 0:
		return ClusterBranch
	case 1:
		return Branch
	case 2:
		return Pod
	}
	return None
}

// lastLabel cuts the last label off s, which ends with a dot; rest keeps its
// own.
func lastLabel(s string) (label, rest string) {
	s = s[:len(s)-1]
	for end := len(s); ; {
		dot := strings.LastIndexByte(s[:end], '.')
		if dot < 0 {
			return s, ""
		}
		if !escaped(s, dot) {
			return s[dot+1:], s[:dot+1]
		}
		end = dot
	}
}

// countLabels counts the labels of s, each ended by a dot.
func countLabels(s string) int {
	labels := 0
	for i := range len(s) {
		if s[i] == '.' && !escaped(s, i) {
			labels++
		}
	}
	return labels
}

// escaped tells whether the byte at i stands for itself: an odd number of
// backslashes stands before it.
func escaped(s string, i int) bool {
	start := i
	for start > 0 && s[start-1] == '\\' {
		start--
	}
	return (i-start)%2 == 1
}

// MemberName is the name to ask the member for, in its own domain (lower case,
// fully qualified), always in the schema's form; of a Protocol, its Service's.
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
