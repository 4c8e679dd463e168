package document

import (
	"net/netip"
	"strings"
	"testing"
)

// TestNotOfMember: a CIDR with an address that no member's service has, is refused in
// each field that takes CIDRs; also a part of such a block, and what lies around it.
func TestNotOfMember(t *testing.T) {
	for cidr, want := range map[string]string{
		"0.0.0.0/0":                   "unspecified addresses (0.0.0.0/8)",
		"0.0.0.0/8":                   "unspecified addresses (0.0.0.0/8)",
		"0.1.2.0/24":                  "unspecified addresses (0.0.0.0/8)",
		"0.0.0.0/32":                  "unspecified addresses (0.0.0.0/8)",
		"127.0.0.0/8":                 "loopback addresses (127.0.0.0/8)",
		"127.1.0.0/16":                "loopback addresses (127.0.0.0/8)",
		"64.0.0.0/2":                  "loopback addresses (127.0.0.0/8)",
		"126.0.0.0/7":                 "loopback addresses (127.0.0.0/8)",
		"169.254.0.0/16":              "link-local addresses (169.254.0.0/16)",
		"169.254.169.254/32":          "link-local addresses (169.254.0.0/16)",
		"169.254.0.0/15":              "link-local addresses (169.254.0.0/16)",
		"128.0.0.0/1":                 "link-local addresses (169.254.0.0/16)",
		"224.0.0.0/4":                 "multicast addresses (224.0.0.0/4)",
		"239.1.0.0/16":                "multicast addresses (224.0.0.0/4)",
		"192.0.0.0/2":                 "multicast addresses (224.0.0.0/4)",
		"::/0":                        "unspecified addresses (::/128)",
		"::/96":                       "unspecified addresses (::/128)",
		"::1/128":                     "loopback addresses (::1/128)",
		"fe80::/10":                   "link-local addresses (fe80::/10)",
		"fe80::/64":                   "link-local addresses (fe80::/10)",
		"fc00::/6":                    "link-local addresses (fe80::/10)",
		"ff00::/8":                    "multicast addresses (ff00::/8)",
		"ff02::/16":                   "multicast addresses (ff00::/8)",
		"::a9fe:0/112":                "compatible addresses, which carry IPv4 ones (::/96)",
		"::fffe:0:0/95":               "mapped addresses, which carry IPv4 ones (::ffff:0.0.0.0/96)",
		"::ffff:0:a9fe:0/112":         "translated addresses, which carry IPv4 ones (::ffff:0:0:0/96)",
		"64:ff9b::/96":                "NAT64 addresses, which carry IPv4 ones (64:ff9b::/96)",
		"64:ff9b::a9fe:0/112":         "NAT64 addresses, which carry IPv4 ones (64:ff9b::/96)",
		"64:ff9b::a65:0/115":          "NAT64 addresses, which carry IPv4 ones (64:ff9b::/96)",
		"64:ff9b:1::/48":              "NAT64 addresses, which carry IPv4 ones (64:ff9b:1::/48)",
		"64:ff9b:1:a9fe:a9:fe00::/96": "NAT64 addresses, which carry IPv4 ones (64:ff9b:1::/48)",
		"2001::/32":                   "Teredo addresses, which carry IPv4 ones (2001::/32)",
		"2001::/16":                   "Teredo addresses, which carry IPv4 ones (2001::/32)",
		"2002::/16":                   "6to4 addresses, which carry IPv4 ones (2002::/16)",
		"2002:a9fe:a9fe::/48":         "6to4 addresses, which carry IPv4 ones (2002::/16)",
		"2000::/3":                    "Teredo addresses, which carry IPv4 ones (2001::/32)",

		"10.0.0.0/8": "", "172.16.0.0/12": "", "192.168.0.0/16": "", "100.64.0.0/10": "", "1.0.0.0/8": "", "126.0.0.0/8": "",
		"169.253.0.0/16": "", "223.0.0.0/8": "", "192.0.0.0/24": "", "240.0.0.0/4": "", "203.0.113.0/24": "",
		"fd00:101::/112": "", "fc00::/7": "", "2001:db8::/32": "", "2003::/16": "", "64:ff9b:2::/48": "", "fd00:ec2::/64": "",
	} {
		got := notOfMember(netip.MustParsePrefix(cidr))
		if want != "" {
			want = "holds " + want + "; write the member's own, as 10.101.0.0/19 or fd00:101::/112"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", cidr, got, want)
		}
		for _, field := range []string{"serviceCIDRs", "podCIDRs", "loadBalancerCIDRs"} {
			_, err := parse(map[string]string{"k.yaml": member(field+": [\""+cidr+"\"]", "dns: [10.0.0.1]")})
			if (err != nil) != (want != "") || (err != nil && !strings.HasPrefix(err.Error(), "k.yaml: clusters[0]."+field+"[0]: \""+cidr+"\": holds")) {
				t.Errorf("%s: [%s]: %v", field, cidr, err)
			}
		}
	}
}

// TestGateways: neither can a gateway be one of them, nor carry one.
func TestGateways(t *testing.T) {
	for addr, good := range map[string]bool{
		"203.0.113.10": true, "2001:db8::10": true, "10.0.0.1": true, "::ffff:203.0.113.10": true, "240.0.0.1": true,
		"64:ff9b::cb00:710a": true,
		"0.0.0.0":            false, "0.1.2.3": false, "127.0.0.1": false, "127.9.9.9": false, "169.254.169.254": false, "224.0.0.1": false,
		"::": false, "::1": false, "fe80::1": false, "fe80::1%eth0": false, "ff02::1": false,
		"::ffff:127.0.0.1": false, "::169.254.169.254": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b:1::7f00:1": false,
		"2002:a9fe:a9fe::1": false, "2001:0:1::80ff:fffe": false,
	} {
		_, err := parse(map[string]string{"k.yaml": member("gateways: [\"" + addr + "\"]")})
		want := `k.yaml: clusters[0].gateways[0]: "` + addr + `": not an address that a client can connect to`
		if (err == nil) != good || (err != nil && err.Error() != want) {
			t.Errorf("%s: %v", addr, err)
		}
	}
}
