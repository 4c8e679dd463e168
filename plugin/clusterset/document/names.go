package document

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
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

// name reports whether a member can have that name.
func (c checker) name(path, value string) bool {
	labels := strings.Split(value, ".")
	switch {
	case value == "":
		c.report(path, "missing")
	case len(labels) > 2 || slices.ContainsFunc(labels, notLabel):
		c.wrong(path, value, "not one or two RFC 1123 labels (a-z, 0-9, inner '-', 63 bytes each)")
	case slices.ContainsFunc(labels, func(l string) bool { return slices.Contains(reserved, l) }):
		c.wrong(path, value, "reserved; "+strings.Join(reserved, ", ")+" are words of the names themselves")
	case slices.Contains(labels, nameServer):
		c.wrong(path, value, "reserved; ns."+nameServer+" is the name server of the zone itself")
	default:
		return true
	}
	return false
}

// services checks which services a policy is for.
func (c checker) services(path string, values []string) {
	if len(values) == 0 {
		c.report(path, "missing; as [payments/checkout, \"payments/*\"]")
	}
	for i, value := range c.bounded(path, values) {
		if !servicePattern(value) {
			c.wrong(fmt.Sprintf("%s[%d]", path, i), value, `not NAMESPACE/NAME; either may be "*", or end in it`)
		}
	}
}

// servicePattern reports whether s is NAMESPACE/NAME, each of which is a pattern.
func servicePattern(s string) bool {
	namespace, name, ok := strings.Cut(s, "/")
	return ok && !notPattern(namespace) && !notPattern(name)
}

// notPattern reports whether s is neither a label, nor "*", nor how a label begins with "*" after it.
func notPattern(s string) bool {
	if prefix, wild := strings.CutSuffix(s, "*"); wild {
		s = prefix + "0"
	}
	return notLabel(s)
}

// namespaces returns those whose services others may reach, nil for all.
func (c checker) namespaces(path string, values Choice) []string {
	if isEmpty(values) {
		c.report(path, "empty; leave it out for all namespaces")
	}
	var found []string
	for i, value := range c.bounded(path, values) {
		if notPattern(value) {
			c.wrong(fmt.Sprintf("%s[%d]", path, i), value, `not the name of a namespace; it may be "*", or end in it`)
			continue
		}
		found = append(found, value)
	}
	return found
}

// isEmpty reports whether a list is given, and empty.
func isEmpty(values Choice) bool { return values != nil && len(values) == 0 }

var affinities = []string{"none", "local", "nearest", "remote"}

func (c checker) affinity(path, value string) {
	if value != "" && !slices.Contains(affinities, value) {
		c.wrong(path, value, "not one of "+strings.Join(affinities, ", "))
	}
}
