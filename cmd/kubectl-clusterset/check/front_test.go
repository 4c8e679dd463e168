package check

import (
	"testing"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/install"
)

// TestExempt: which caches keep the answers of clusterset.local.
func TestExempt(t *testing.T) {
	for _, c := range []struct {
		cache string
		want  bool
	}{
		{"cache 30", false},
		{"cache", false},
		{"cache 30 cluster.local", true},
		{"cache 30 cluster.local clusterset.local.", false},
		{"cache 30 {\n disable success cluster.local\n disable denial cluster.local\n}", false},
		{"cache 30 {\n disable success cluster.local clusterset.local\n}", true},
		{"cache 30 {\n disable success local\n}", true},
		{"cache 30 {\n disable success\n}", true},
		{"cache 30 {\n disable denial clusterset.local\n}", false},
	} {
		blocks, _, err := install.ParseCorefile(".:53 {\n" + c.cache + "\n}\n")
		if err != nil {
			t.Fatal(err)
		}
		if exempt(blocks[0].Words("cache"), "clusterset.local") != c.want {
			t.Errorf("%s: have %v", c.cache, !c.want)
		}
	}
}

// TestIsOwn: what of forward's targets is this very CoreDNS.
func TestIsOwn(t *testing.T) {
	own := []string{"10.96.0.10", "fd00::a"}
	for target, want := range map[string]bool{
		"10.96.0.10": true, "10.96.0.10:53": true, "dns://10.96.0.10": true, "tls://10.96.0.10": true, "[fd00::a]:53": true,
		"127.0.0.1": true, "::1": true, "127.0.0.1:9": false, "10.96.0.11": false, "/etc/resolv.conf": false,
	} {
		if isOwn(target, own) != want {
			t.Errorf("%s: have %v", target, !want)
		}
	}
}

// TestZoneOf: the zone of a server block's key.
func TestZoneOf(t *testing.T) {
	for key, want := range map[string]string{
		"lan:53": "lan", "lan": "lan", "lan.": "lan", "dns://Lan.:53": "lan", ".:53": "", ".": "", "tls://.:853": "",
	} {
		if have := zoneOf(key); have != want {
			t.Errorf("%s: have %q, want %q", key, have, want)
		}
	}
}
