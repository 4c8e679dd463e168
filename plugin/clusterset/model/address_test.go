package model

import (
	"net/netip"
	"slices"
	"testing"
)

func TestIsHosts(t *testing.T) {
	for text, want := range map[string]bool{
		"127.0.0.1": true, "127.255.255.254": true, "::1": true, "0.0.0.0": true, "0.1.2.3": true, "0.255.255.255": true, "::": true,
		"169.254.0.1": true, "169.254.169.254": true, "fe80::1": true, "224.0.0.1": true, "239.255.255.255": true, "ff02::1": true, "ff0e::1": true,
		"1.0.0.1": false, "10.0.0.1": false, "126.255.255.255": false, "128.0.0.1": false, "169.253.255.255": false, "169.255.0.0": false,
		"223.255.255.255": false, "fd00::1": false, "fec0::1": false, "2001:db8::1": false,
	} {
		if got := IsHosts(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestIsReserved(t *testing.T) {
	for text, want := range map[string]bool{
		"255.255.255.255": true, "240.0.0.1": true, "250.1.2.3": true, "192.0.0.1": true, "192.0.0.192": true, "100.100.100.200": true,
		"168.63.129.16": true, "fd00:ec2::254": true, "fd00:ec2::23": true, "fd20:ce::254": true, "fd00:42::42": true, "fd00:a9fe:a9fe::1": true,
		"fd00:c1::a9fe:a9fe": true, "fd00:100::100:200": true, "fd00:c1::a9fe:a9ff": false, "fd00:100::100:201": false,
		"192.0.1.0": false, "100.100.100.201": false, "168.63.129.17": false, "fd00:ec3::254": false, "fd00:42::43": false, "fd00:a9fe:a9fe::2": false, "203.0.113.1": false, "fd20:ce::253": false,
	} {
		if got := IsReserved(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

// TestEachCarried: the IPv4 address is found wherever an IPv6 address carries one.
func TestEachCarried(t *testing.T) {
	for text, want := range map[string]string{
		"::169.254.169.254":          "169.254.169.254",
		"::ffff:0:169.254.169.254":   "169.254.169.254",
		"64:ff9b::a9fe:a9fe":         "169.254.169.254",
		"64:ff9b:1::a9fe:a9fe":       "169.254.169.254",
		"64:ff9b:1:fffe::a9fe:a9fe":  "169.254.169.254",
		"64:ff9b:1:a9fe:a9:fe00::":   "169.254.169.254",
		"64:ff9b:1:a9:fe:a9fe::":     "169.254.169.254",
		"64:ff9b:1:0:a9:fea9:fe00:0": "169.254.169.254",
		"2002:a9fe:a9fe::1":          "169.254.169.254",
		"2001:0:a9fe:a9fe::":         "169.254.169.254",
		"2001:0:c000:201::80ff:fffe": "127.0.0.1",
		"fd00::a9fe:a9fe":            "",
		"2001:db8::a9fe:a9fe":        "",
		"2001:1::a9fe:a9fe":          "",
		"169.254.169.254":            "",
		"64:ff9b:2::a9fe:a9fe":       "",
	} {
		var found []string
		EachCarried(netip.MustParseAddr(text), func(a netip.Addr) bool {
			found = append(found, a.String())
			return true
		})
		if want == "" && len(found) > 0 || want != "" && !slices.Contains(found, want) {
			t.Errorf("%s carries %q, want %q", text, found, want)
		}
		stopped := EachCarried(netip.MustParseAddr(text), func(netip.Addr) bool { return false })
		if stopped != (want == "") {
			t.Errorf("%s: reports %v", text, stopped)
		}
	}
}

func TestCarriedAllocs(t *testing.T) {
	addr := netip.MustParseAddr("64:ff9b::a01:203")
	if n := testing.AllocsPerRun(100, func() { EachCarried(addr, func(a netip.Addr) bool { return !IsHosts(a) && !IsReserved(a) }) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
