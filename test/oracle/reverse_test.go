//go:build e2e

package oracle

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
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
