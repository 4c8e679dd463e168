package document

import "testing"

// TestZones: an IPv6 address may have a zone, which is a network interface's name and
// nothing else. Go accepts any text there, brackets and ports with it.
func TestZones(t *testing.T) {
	for value, want := range map[string]string{
		"fe80::1%eth0":                     "[fe80::1%eth0]:53",
		"[fe80::1%eth0]":                   "[fe80::1%eth0]:53",
		"[fe80::1%eth0]:54":                "[fe80::1%eth0]:54",
		"tls://[fe80::1%eth0.7]:54":        "tls://[fe80::1%eth0.7]:54",
		"quic://[fe80::1%2]":               "quic://[fe80::1%2]:853",
		"fe80::1%eth0]:54":                 "",
		"[fe80::1%eth0":                    "",
		"fe80::1%eth0]":                    "",
		"[[fe80::1%eth0]]":                 "",
		"[fe80::1%x\n[FATAL] all is lost]": "",
		"[fe80::1%\x1b[31m]:53":            "",
		"fe80::1%a-name-of-16-char":        "",
		"[10.0.0.1":                        "",
		"10.0.0.1]":                        "",
	} {
		upstream, err := parseUpstream(value)
		if want == "" && err == nil || want != "" && (err != nil || upstream.String() != want) {
			t.Errorf("%q: %q, error %v; want %q", value, upstream, err, want)
		}
	}
}
