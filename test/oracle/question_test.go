//go:build e2e

package oracle

import (
	"fmt"
	"strings"

	"github.com/miekg/dns"
)

// question is asked of both servers, each in its own zone.
type question struct {
	prefix string
	zone   zoneCase
	short  bool // ours is asked without "svc"
	qtype  uint16
}

// zoneCase is how the zone is written.
type zoneCase int

const (
	lowerCase zoneCase = iota
	upperCase
	mixedCase
	none // a reverse name: prefix is all

	// The clusterset zone, which both have.
	setLower
	setUpper
	setMixed
)

var (
	theirZones = [...]string{
		lowerCase: "cluster.local.", upperCase: "CLUSTER.LOCAL.", mixedCase: "Cluster.Local.", none: "",
		setLower: "clusterset.local.", setUpper: "CLUSTERSET.LOCAL.", setMixed: "Clusterset.Local.",
	}
	ourZones = [...]string{
		lowerCase: "c1.lan.", upperCase: "C1.LAN.", mixedCase: "C1.Lan.", none: "",
		setLower: theirZones[setLower], setUpper: theirZones[setUpper], setMixed: theirZones[setMixed],
	}
)

const svc = "svc."

func (q question) theirName() string { return q.prefix + theirZones[q.zone] }

func (q question) ourName() string {
	prefix := q.prefix
	if q.short {
		prefix = prefix[:len(prefix)-len(svc)]
	}
	return prefix + ourZones[q.zone]
}

// is tells whether it is for that prefix, in whatever case.
func (q question) is(prefix string) bool {
	return q.zone != none && strings.EqualFold(q.prefix, prefix)
}

func (q question) String() string {
	return fmt.Sprintf("%s %s", q.ourName(), dns.TypeToString[q.qtype])
}

// hasShortForm is false where the name without "svc" means something else: it
// ends in "svc" or "pod" again, and is the schema's, or is the zone's own.
func hasShortForm(prefix string) bool {
	rest, ok := strings.CutSuffix(prefix, "."+svc)
	if !ok || rest == "dns-version" || rest == "ns.dns" {
		return false
	}
	last := rest[strings.LastIndex(rest, ".")+1:]
	return last != "svc" && last != "pod"
}
