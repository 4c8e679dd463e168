package document

import (
	"net/netip"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// block is a range of addresses, and what they are.
type block struct {
	prefix netip.Prefix
	what   string
}

// hosts are the addresses that each host has for itself or its own link, and those of groups
// of hosts: no member's services have them, and a client that is sent there reaches something
// else. (RFC 1122, section 3.2.1.3, and the registries of RFC 6890.)
var hosts = []block{
	{netip.MustParsePrefix("0.0.0.0/8"), "unspecified"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast"},
	{netip.MustParsePrefix("::/128"), "unspecified"},
	{netip.MustParsePrefix("::1/128"), "loopback"},
	{netip.MustParsePrefix("fe80::/10"), "link-local"},
	{netip.MustParsePrefix("ff00::/8"), "multicast"},
}

// carriers are the IPv6 addresses that stand for an IPv4 one. A member's CIDRs have none of
// them: it has the IPv4 CIDR instead.
var carriers = []block{
	{netip.MustParsePrefix("::/96"), "compatible"},           // RFC 4291, section 2.5.5.1
	{netip.MustParsePrefix("::ffff:0:0/96"), "mapped"},       // RFC 4291, section 2.5.5.2
	{netip.MustParsePrefix("::ffff:0:0:0/96"), "translated"}, // RFC 2765, section 2.1
	{netip.MustParsePrefix("64:ff9b::/96"), "NAT64"},         // RFC 6052
	{netip.MustParsePrefix("64:ff9b:1::/48"), "NAT64"},       // RFC 8215
	{netip.MustParsePrefix("2001::/32"), "Teredo"},           // RFC 4380
	{netip.MustParsePrefix("2002::/16"), "6to4"},             // RFC 3056
}

// notOfMember returns why no member can have all addresses of a CIDR, "" where one can.
func notOfMember(cidr netip.Prefix) string {
	const right = "; write the member's own, as 10.101.0.0/19 or fd00:101::/112"
	for _, b := range hosts {
		if b.prefix.Overlaps(cidr) {
			return "holds " + b.what + " addresses (" + b.prefix.String() + ")" + right
		}
	}
	for _, b := range carriers {
		if b.prefix.Overlaps(cidr) {
			return "holds " + b.what + " addresses, which carry IPv4 ones (" + b.prefix.String() + ")" + right
		}
	}
	return ""
}

// isHosts reports whether no member has addr, or the IPv4 address that it carries.
func isHosts(addr netip.Addr) bool {
	return model.IsHosts(addr) || !model.EachCarried(addr, func(carried netip.Addr) bool { return !model.IsHosts(carried) })
}
