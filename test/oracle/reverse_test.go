//go:build e2e

package oracle

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
	discovery "k8s.io/api/discovery/v1"
)

// reverse names, read apart from clusterset's own code.

// digits are the labels of a reverse name before its zone, the address's first
// one first, each in base 10 or 16. It is false where one is no such digit.
func digits(name string) (values []byte, base int, ok bool) {
	labels := dns.SplitDomainName(strings.ToLower(name))
	base, bits, length := 10, 8, 4
	if strings.HasSuffix(strings.ToLower(name), "ip6.arpa.") {
		base, bits, length = 16, 4, 32
	}
	labels = labels[:len(labels)-2]
	slices.Reverse(labels)
	for _, label := range labels {
		n, err := strconv.ParseUint(label, base, bits)
		if err != nil || strconv.FormatUint(n, base) != label {
			return nil, 0, false
		}
		values = append(values, byte(n))
	}
	return values, base, len(values) <= length
}

// isReverseBranch tells of a name below which are those of addresses.
func isReverseBranch(name string) bool {
	values, base, ok := digits(name)
	return ok && (base == 10 && len(values) < 4 || base == 16 && len(values) < 32)
}

// addressIn is the address that a reverse name is of.
func addressIn(name string) (addr netip.Addr, ok bool) {
	values, base, ok := digits(name)
	switch {
	case ok && base == 10 && len(values) == 4:
		return netip.AddrFrom4([4]byte(values)), true
	case ok && base == 16 && len(values) == 32:
		var bytes [16]byte
		for i, n := range values {
			bytes[i/2] = bytes[i/2]<<4 | n
		}
		return netip.AddrFrom16(bytes), true
	}
	return netip.Addr{}, false
}

func reverseZone(name string) string {
	if strings.HasSuffix(strings.ToLower(name), "ip6.arpa.") {
		return "ip6.arpa."
	}
	return "in-addr.arpa."
}

// isMembers tells whether the document gives the address to the member.
func isMembers(addr netip.Addr) bool {
	return slices.ContainsFunc([]string{serviceCIDR4, serviceCIDR6, podCIDR4, podCIDR6}, func(cidr string) bool {
		return netip.MustParsePrefix(cidr).Contains(addr)
	})
}

// endpoints are the names of the ready endpoints of Services at the address that a
// reverse name is of.
func (d *deviation) endpoints() []string {
	addr, ok := addressIn(d.prefix)
	if !ok {
		return nil
	}
	var list []string
	for i := range d.objects.slices {
		s := &d.objects.slices[i]
		service := s.Labels[discovery.LabelServiceName]
		if service == "" {
			continue
		}
		for _, host := range hostsAt(s, addr) {
			list = append(list, host+"."+service+"."+s.Namespace+".svc."+ourZones[lowerCase])
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// isSilent reports whether kubernetes won't reply for the name's PTR: a slice of no
// Service has the address.
func (c *comparison) isSilent(q question) bool {
	if q.zone != none {
		return false
	}
	addr, ok := addressIn(q.prefix)
	return ok && slices.ContainsFunc(c.objects.slices, func(s discovery.EndpointSlice) bool {
		return s.Labels[discovery.LabelServiceName] == "" && len(hostsAt(&s, addr)) > 0
	})
}

// hostsAt are the labels of the slice's ready endpoints at the address.
func hostsAt(s *discovery.EndpointSlice, addr netip.Addr) []string {
	var list []string
	for i := range s.Endpoints {
		if e := &s.Endpoints[i]; isReady(e) && slices.Contains(e.Addresses, addr.String()) {
			list = append(list, hostOf(e, addr.String()))
		}
	}
	return list
}

func isReady(e *discovery.Endpoint) bool { return e.Conditions.Ready == nil || *e.Conditions.Ready }

// hostOf is the label of an endpoint at that address, which is one of its own.
func hostOf(e *discovery.Endpoint, address string) string {
	if e.Hostname != nil && *e.Hostname != "" {
		return *e.Hostname
	}
	host := dashed(address)
	if strings.HasSuffix(host, "-") {
		host += "0"
	}
	return host
}

func pointers(owner string, names []string) []dns.RR {
	var list []dns.RR
	for _, name := range names {
		list = append(list, &dns.PTR{Hdr: header(owner, dns.TypePTR), Ptr: name})
	}
	return list
}
