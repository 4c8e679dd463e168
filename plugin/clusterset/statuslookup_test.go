package clusterset

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// TestReadName: a look-up's name is what a client's message would have, or is refused.
func TestReadName(t *testing.T) {
	label := strings.Repeat("a", 63) + "."
	for text, want := range map[string]string{
		"web.default.c1.lan": "web.default.c1.lan.",
		"Web.lan.":           "Web.lan.",
		`\119eb.lan`:         "web.lan.",
		`\w\e\b.lan`:         "web.lan.",
		`a\.b.lan`:           `a\.b.lan.`,
		"x y.lan":            `x\ y.lan.`,
		"\x1b[31m.lan":       `\027[31m.lan.`,
		"\x00\t.lan":         `\000\009.lan.`,
		`\195\188.lan`:       `\195\188.lan.`,
		label + label + label + strings.Repeat("a", 61):    label + label + label + strings.Repeat("a", 61) + ".",
		label + label + label + strings.Repeat(`\097`, 61): label + label + label + strings.Repeat("a", 61) + ".",

		label + label + label + strings.Repeat("a", 62): "",
		"a" + label + "lan":                             "",
		"":                                              "",
		".":                                             "",
		"a..b":                                          "",
		".lan":                                          "",
		`\`:                                             "",
		`a.lan\`:                                        "",
		`\999.lan`:                                      "",
		`a\300.lan`:                                     "",
		"bücher.lan":                                    "",
		"\xff.lan":                                      "",
	} {
		name, err := readName(text)
		if name != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", text, name, err, want)
		}
	}
}

// TestNextRcode: a code of the next plugin's that has no word is said all the same.
func TestNextRcode(t *testing.T) {
	const unknown = 3841 // RFC 6895: for private use
	p := &Clusterset{}
	p.options.timeout = time.Minute
	p.Next = plugin.HandlerFunc(func(_ context.Context, _ dns.ResponseWriter, _ *dns.Msg) (int, error) {
		return unknown, nil
	})
	q := &client{state: request.Request{W: asker{}, Req: new(dns.Msg).SetQuestion("a.lan.", dns.TypeA)}}
	var l status.Lookup
	if p.explainNext(t.Context(), q, &l); l.Rcode != "RCODE3841" || !strings.HasPrefix(l.Steps[0], "RCODE3841 from there") {
		t.Errorf("%+v", l)
	}
}
