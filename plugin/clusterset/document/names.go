package discovery

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
)

// Lengths of names: RFC 1123 labels, and a domain that leaves room for
// "_port._proto.service.namespace.svc." before it in 253 bytes.
const (
	maxLabel  = 63
	maxDomain = 200
)

var label = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`)

func notLabel(s string) bool { return len(s) > maxLabel || !label.MatchString(s) }

// reserved labels are words of the grammar: a member of that name would hide
// names of another, or could never be asked.
var reserved = []string{"svc", "pod", "dns-version"}

// nameServer is the label of each zone's own name server, ns.dns.ZONE.
const nameServer = "dns"

func (v *validation) name(path, value string) string {
	if value == "" {
		v.errorf(path, "missing")
		return ""
	}
	labels := strings.Split(value, ".")
	switch {
	case len(labels) > 2 || slices.ContainsFunc(labels, notLabel):
		v.wrong(path, value, "not one or two RFC 1123 labels (a-z, 0-9, inner '-', 63 bytes each)")
		return ""
	case slices.ContainsFunc(labels, func(l string) bool { return slices.Contains(reserved, l) }):
		v.wrong(path, value, "reserved; "+strings.Join(reserved, ", ")+" are words of the names themselves")
		return ""
	case slices.Contains(labels, nameServer):
		v.wrong(path, value, "reserved; ns."+nameServer+" is the name server of the zone itself")
		return ""
	}
	if first, taken := v.members[value]; taken {
		v.wrong(path, value, "duplicate member; first at "+first)
		return ""
	}
	v.members[value] = v.key + ": " + path
	return value
}

var affinities = []string{"none", "local", "nearest", "remote"}

// references checks that the members which policies name exist, in whatever
// document.
func (v *validation) references() {
	for _, r := range v.referred {
		if _, exists := v.members[r.member]; !exists {
			v.add(fmt.Errorf("%s: %s: %q: not a member", r.key, r.path, quoted.Cut(r.member, maxQuoted)))
		}
	}
}
