package document

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

const (
	// maxList bounds each list: what is done for every two values of one, or for every value
	// and member, stays quick.
	maxList = 1000
	// maxPlace bounds the name of a network, a region or a zone, in bytes.
	maxPlace = 253
)

// checker checks and converts the fields of one member or policy. Its methods return the
// zero value for what is wrong.
type checker struct{ *collector }

// place returns the name of a network, a region or a zone, which queries compare.
func (c checker) place(path, value string) string {
	if len(value) > maxPlace {
		c.wrong(path, value, fmt.Sprintf("%d bytes; %d at most", len(value), maxPlace))
		return ""
	}
	return value
}

// bounded returns the list, or as much of it as is allowed.
func (c checker) bounded(path string, values []string) []string {
	if len(values) > maxList {
		c.report(path, "%d given; %d at most", len(values), maxList)
		return values[:maxList]
	}
	return values
}

func (c checker) prefixes(path string, values []string) []netip.Prefix {
	var found []netip.Prefix
	for i, value := range c.bounded(path, values) {
		at := fmt.Sprintf("%s[%d]", path, i)
		prefix, err := netip.ParsePrefix(value)
		switch {
		case err != nil || prefix.Addr().Is4In6():
			c.wrong(at, value, "not a CIDR")
		case prefix != prefix.Masked():
			c.wrong(at, value, "not a CIDR's first address; did you mean "+prefix.Masked().String()+"?")
		case notOfMember(prefix) != "":
			c.wrong(at, value, notOfMember(prefix))
		case slices.Contains(found, prefix):
			c.wrong(at, value, "given twice")
		default:
			found = append(found, prefix)
		}
	}
	return found
}

// domain returns the member's own domain, which may be written without its last dot.
func (c checker) domain(path, value string) string {
	if value == "" {
		return "cluster.local."
	}
	domain := strings.ToLower(strings.TrimSuffix(value, "."))
	if len(domain) > maxDomain || slices.ContainsFunc(strings.Split(domain, "."), notLabel) {
		c.wrong(path, value, "not a domain name")
		return ""
	}
	return domain + "."
}

func (c checker) gateways(path string, values []string) []netip.Addr {
	var found []netip.Addr
	for i, value := range c.bounded(path, values) {
		addr, err := netip.ParseAddr(value)
		if err != nil || addr.Zone() != "" || isHosts(addr.Unmap()) {
			c.wrong(fmt.Sprintf("%s[%d]", path, i), value, "not an address that a client can connect to")
			continue
		}
		found = append(found, addr.Unmap())
	}
	return found
}

// maxProbe bounds a probe's URL, in bytes: it is sent every two seconds.
const maxProbe = 2048

func (c checker) probe(path, value string) string {
	if value == "" {
		return ""
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Hostname() == "":
		c.wrong(path, value, "not a URL; write tcp://HOST:PORT, http:// or https://")
	case len(value) > maxProbe:
		c.wrong(path, value, fmt.Sprintf("a URL of more than %d bytes", maxProbe))
	case u.User != nil:
		c.wrong(path, u.Redacted(), "a user; a gateway is asked without credentials")
	case u.Scheme == "tcp" && u.Port() == "":
		c.wrong(path, value, "no port; write tcp://HOST:PORT")
	case u.Scheme != "tcp" && u.Scheme != "http" && u.Scheme != "https":
		c.wrong(path, value, "not tcp://, http:// or https://")
	}
	return value
}
