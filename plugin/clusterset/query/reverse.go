package query

import (
	"net/netip"
	"strconv"
	"strings"
)

const (
	suffix4 = ".in-addr.arpa."
	suffix6 = ".ip6.arpa."
)

// IsReverse tells whether zone is below in-addr.arpa. or ip6.arpa.
func IsReverse(zone string) bool {
	return strings.HasSuffix("."+zone, suffix4) || strings.HasSuffix("."+zone, suffix6)
}

// Address reads the address of a reverse name (RFC 1035, section 3.5; RFC 3596,
// section 2.5). It is false for a name that is not a whole address.
func Address(name string) (netip.Addr, bool) {
	name = strings.ToLower(name)
	if labels, ok := strings.CutSuffix(name, suffix4); ok {
		return address4(labels)
	}
	if labels, ok := strings.CutSuffix(name, suffix6); ok {
		return address6(labels)
	}
	return netip.Addr{}, false
}

func address4(labels string) (netip.Addr, bool) {
	var octets [4]byte
	for i := range octets {
		label, rest, more := strings.Cut(labels, ".")
		n, err := strconv.ParseUint(label, 10, 8)
		if err != nil || more == (i == 3) || (len(label) > 1 && label[0] == '0') {
			return netip.Addr{}, false
		}
		octets[3-i], labels = byte(n), rest
	}
	return netip.AddrFrom4(octets), true
}

// address6 takes 32 nibbles with dots between them, the last one first.
func address6(labels string) (netip.Addr, bool) {
	if len(labels) != 63 {
		return netip.Addr{}, false
	}
	var octets [16]byte
	for i := range 32 {
		n, err := strconv.ParseUint(labels[2*i:2*i+1], 16, 8)
		if err != nil || (i < 31 && labels[2*i+1] != '.') {
			return netip.Addr{}, false
		}
		octets[15-i/2] |= byte(n) << (4 * (i % 2))
	}
	return netip.AddrFrom16(octets), true
}
