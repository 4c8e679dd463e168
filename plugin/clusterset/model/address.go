package model

import (
	"net/netip"
	"slices"
)

var (
	// thisNetwork is what 0.0.0.0 stands for, a host itself: RFC 1122, section 3.2.1.3.
	thisNetwork = netip.MustParsePrefix("0.0.0.0/8")
	// reserved are blocks that a cluster has addresses in only where it declares them: IETF protocol assignments (RFC 6890), class E and broadcast (RFC 1112,
	// section 4), and where clouds have their metadata services beside 169.254.169.254:
	// Alibaba's, Azure's, Amazon's (all its local services, the one that gives a pod its
	// credentials among them), Google's, Oracle's, Scaleway's and Akamai's.
	reserved = []netip.Prefix{
		netip.MustParsePrefix("192.0.0.0/24"),
		netip.MustParsePrefix("240.0.0.0/4"),
		netip.MustParsePrefix("100.100.100.200/32"),
		netip.MustParsePrefix("168.63.129.16/32"),
		netip.MustParsePrefix("fd00:ec2::/32"),
		netip.MustParsePrefix("fd20:ce::254/128"),
		netip.MustParsePrefix("fd00:100::100:200/128"),
		netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"),
		netip.MustParsePrefix("fd00:42::42/128"),
		netip.MustParsePrefix("fd00:a9fe:a9fe::1/128"),
	}
)

// IsHosts reports whether an address is never a service's: one of each host's own
// (loopback, link-local, unspecified), or of a group of hosts (multicast).
func IsHosts(addr netip.Addr) bool {
	return addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsMulticast() || addr.IsUnspecified() || thisNetwork.Contains(addr)
}

// IsReserved reports whether an address is a service's only where a cluster declares it.
func IsReserved(addr netip.Addr) bool {
	return slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// carriers are the blocks of IPv6 addresses that carry IPv4 ones, and where.
var carriers = []struct {
	block netip.Prefix
	at    [4]int // the bytes
	// inverted is set where the bits are.
	inverted bool
}{
	{block: netip.MustParsePrefix("::/96"), at: [4]int{12, 13, 14, 15}},                     // compatible: RFC 4291, section 2.5.5.1
	{block: netip.MustParsePrefix("::ffff:0:0:0/96"), at: [4]int{12, 13, 14, 15}},           // translated: RFC 2765, section 2.1
	{block: netip.MustParsePrefix("64:ff9b::/96"), at: [4]int{12, 13, 14, 15}},              // NAT64: RFC 6052, section 2.1
	{block: netip.MustParsePrefix("64:ff9b:1::/48"), at: [4]int{12, 13, 14, 15}},            // RFC 8215, in each of RFC 6052's forms
	{block: netip.MustParsePrefix("64:ff9b:1::/48"), at: [4]int{6, 7, 9, 10}},               //
	{block: netip.MustParsePrefix("64:ff9b:1::/48"), at: [4]int{7, 9, 10, 11}},              //
	{block: netip.MustParsePrefix("64:ff9b:1::/48"), at: [4]int{9, 10, 11, 12}},             //
	{block: netip.MustParsePrefix("2002::/16"), at: [4]int{2, 3, 4, 5}},                     // 6to4: RFC 3056, section 2
	{block: netip.MustParsePrefix("2001::/32"), at: [4]int{4, 5, 6, 7}},                     // Teredo's server: RFC 4380, section 4
	{block: netip.MustParsePrefix("2001::/32"), at: [4]int{12, 13, 14, 15}, inverted: true}, // and its client
}

// EachCarried calls do with each IPv4 address that an IPv6 address may carry, until it
// is false, and reports whether it never was.
func EachCarried(addr netip.Addr, do func(netip.Addr) bool) bool {
	if !addr.Is6() {
		return true
	}
	bytes := addr.As16()
	for i := range carriers {
		c := &carriers[i]
		if !c.block.Contains(addr) {
			continue
		}
		var v4 [4]byte
		for n, at := range c.at {
			v4[n] = bytes[at]
			if c.inverted {
				v4[n] = ^v4[n]
			}
		}
		if v4[0] == 0 && c.block.Bits() == 48 {
			continue // the form isn't this one
		}
		if !do(netip.AddrFrom4(v4)) {
			return false
		}
	}
	return true
}
