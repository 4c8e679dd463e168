package facts

import (
	"fmt"
	"net/netip"
	"testing"
)

// TestCover: a guessed range holds all addresses, and isn't narrower than ranges are.
func TestCover(t *testing.T) {
	for _, c := range []struct {
		addrs []string
		want  string
	}{
		{nil, "[]"},
		{[]string{"10.96.0.1"}, "[10.96.0.0/16]"},
		{[]string{"10.96.0.1", "10.97.3.4"}, "[10.96.0.0/15]"},
		{[]string{"10.96.0.1", "10.111.255.254"}, "[10.96.0.0/12]"},
		{[]string{"fd00:101::1", "10.96.0.1"}, "[10.96.0.0/16 fd00:101::/108]"},
		{[]string{"fd00:101::1", "fd00:101:1::1"}, "[fd00:101::/47]"},
	} {
		var addrs []netip.Addr
		for _, text := range c.addrs {
			addrs = append(addrs, netip.MustParseAddr(text))
		}
		if have := fmt.Sprint(cover(addrs)); have != c.want {
			t.Errorf("%v: have %s, want %s", c.addrs, have, c.want)
		}
	}
}

// TestEnds: the last address, and the 10th, of ranges of both families.
func TestEnds(t *testing.T) {
	for _, c := range []struct{ prefix, last, tenth string }{
		{"10.96.0.0/12", "10.111.255.255", "10.96.0.10"},
		{"10.96.0.0/24", "10.96.0.255", "10.96.0.10"},
		{"fd00:101::/112", "fd00:101::ffff", "fd00:101::a"},
	} {
		prefix := netip.MustParsePrefix(c.prefix)
		if last(prefix).String() != c.last || Tenth(prefix).String() != c.tenth {
			t.Errorf("%s: have %s and %s", c.prefix, last(prefix), Tenth(prefix))
		}
	}
}
