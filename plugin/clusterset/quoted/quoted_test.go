package quoted

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

const evil = "no\n[FATAL] plugin/x: all is lost\x1b[31m\r\u2028\u202eabc\x00\u200f\xff\u00a0\ufffd\U000e0001z"

func TestLine(t *testing.T) {
	for in, want := range map[string]string{
		"":                       "",
		`plain "text", ünicode`:  `plain "text", ünicode`,
		evil:                     `no\n[FATAL] plugin/x: all is lost\x1b[31m\r\u2028\u202eabc\x00\u200f\xff\u00a0` + "\ufffd" + `\U000e0001z`,
		strings.Repeat("x", 253): strings.Repeat("x", 253),
		strings.Repeat("x", 256): strings.Repeat("x", 253) + "...",
		strings.Repeat("é", 300): strings.Repeat("é", 126) + "...",
		strings.Repeat("\n", 99): strings.Repeat(`\n`, 99),
	} {
		if got := Line(in, 256); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestEnds(t *testing.T) {
	for in, want := range map[string]string{
		"":                                    "",
		"a\nb":                                `a\nb`,
		strings.Repeat("x", 40):               strings.Repeat("x", 40),
		strings.Repeat("x", 41):               strings.Repeat("x", 18) + "…" + strings.Repeat("x", 18),
		strings.Repeat("x", 99) + "why":       strings.Repeat("x", 18) + "…" + strings.Repeat("x", 15) + "why",
		strings.Repeat("\x00", 1<<20) + "why": `\x00\x00\x00\x00\x` + "…" + `x00\x00\x00\x00why`,
	} {
		if got := Ends(in, 40); got != want {
			t.Errorf("%.50q: %q, want %q", in, got, want)
		}
	}
}

// FuzzQuoted: whatever comes in, what comes out is one printed line of bounded length.
func FuzzQuoted(f *testing.F) {
	f.Add(evil)
	f.Add(strings.Repeat("é\xff", 300))
	f.Fuzz(func(t *testing.T, text string) {
		for _, got := range []string{Line(text, 256), Ends(text, 256)} {
			if len(got) > 256 || !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%q: %q", text, got)
			}
		}
		if got := Cut(text, 256); len(got) > 256 {
			t.Errorf("%q: %q", text, got)
		}
	})
}
