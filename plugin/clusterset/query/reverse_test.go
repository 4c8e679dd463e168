package query

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func TestAddress(t *testing.T) {
	for _, text := range []string{"10.101.0.1", "0.0.0.0", "255.255.255.255", "fd00::a", "2001:db8:1:2:3:4:5:6", "::"} {
		name, err := dns.ReverseAddr(text)
		if err != nil {
			t.Fatal(err)
		}
		if addr, ok := ReverseAddress(name); !ok || addr != netip.MustParseAddr(text) {
			t.Errorf("%s gave %s, %v", name, addr, ok)
		}
	}
	for _, name := range []string{
		"in-addr.arpa.", "10.in-addr.arpa.", "0.101.10.in-addr.arpa.", "1.1.0.101.10.in-addr.arpa.", "256.0.0.10.in-addr.arpa.",
		"01.0.0.10.in-addr.arpa.", "a.0.0.10.in-addr.arpa.", "-1.0.0.10.in-addr.arpa.", "1.0.101.10.lan.", "ip6.arpa.", "a.0.ip6.arpa.",
		"g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa.",
		"a00.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa.",
	} {
		if addr, ok := ReverseAddress(name); ok {
			t.Errorf("%s gave %s", name, addr)
		}
	}
	if addr, ok := ReverseAddress("1.0.101.10.IN-ADDR.ARPA."); !ok || addr.String() != "10.101.0.1" {
		t.Error("the case of a name matters")
	}
}

func TestIsReverse(t *testing.T) {
	for zone, want := range map[string]bool{
		"in-addr.arpa.": true, "101.10.in-addr.arpa.": true, "ip6.arpa.": true, "d.f.ip6.arpa.": true,
		"lan.": false, "xin-addr.arpa.": false, ".": false,
	} {
		if IsReverse(zone) != want {
			t.Errorf("%s: %v", zone, !want)
		}
	}
}

func TestReversePrefix(t *testing.T) {
	for name, want := range map[string]string{
		"in-addr.arpa.": "0.0.0.0/0", "10.in-addr.arpa.": "10.0.0.0/8", "0.101.10.IN-ADDR.arpa.": "10.101.0.0/24",
		"ip6.arpa.": "::/0", "0.d.f.ip6.arpa.": "fd00::/12",
		"256.in-addr.arpa.": "", "01.10.in-addr.arpa.": "", "x.in-addr.arpa.": "", "1.1.0.101.10.in-addr.arpa.": "", "1.0.101.10.in-addr.arpa.": "",
		"arpa.in-addr.arpa.": "", "00.ip6.arpa.": "", "g.ip6.arpa.": "", "lan.": "", "xin-addr.arpa.": "", ".10.in-addr.arpa.": "",
		strings.Repeat("0.", 32) + "ip6.arpa.": "", "1." + strings.Repeat("0.", 32) + "ip6.arpa.": "",
	} {
		got, ok := ReversePrefix(name)
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%s: %s, %v, want %s", name, got, ok, want)
		}
	}
}
