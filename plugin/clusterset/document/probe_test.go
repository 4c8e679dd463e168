package document

import (
	"strings"
	"testing"
)

// TestProbe: a probe's URL is one that can be sent every two seconds, and no credential, which
// isn't shown.
func TestProbe(t *testing.T) {
	for _, test := range []struct{ url, want string }{
		{"http://10.0.0.1/alive?x=1", ""},
		{"http://me:secret@10.0.0.1", `probe: "http://me:xxxxx@10.0.0.1": a user; a gateway is asked without credentials`},
		{"http://10.0.0.1/" + strings.Repeat("x", maxProbe), "x\": a URL of more than 2048 bytes"},
	} {
		got := ""
		if _, err := parse(map[string]string{"k.yaml": member("probe: " + test.url)}); err != nil {
			got = err.Error()
		}
		if (got == "") != (test.want == "") || !strings.HasSuffix(got, test.want) || strings.Contains(got, "secret") {
			t.Errorf("%.100s: %q, want %q", test.url, got, test.want)
		}
	}
}
