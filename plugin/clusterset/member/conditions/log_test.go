package conditions

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

// TestQuote: text from outside is on one line, bounded, and forges none.
func TestQuote(t *testing.T) {
	const evil = "no\n[FATAL] plugin/x: all is lost\x1b[31m\r\u2028\u202eabc\x00\u200f\xff\u00a0z"
	for in, want := range map[string]string{
		"":                       "",
		`plain "text", ünicode`:  `plain "text", ünicode`,
		evil:                     `no\n[FATAL] plugin/x: all is lost\x1b[31m\r\u2028\u202eabc\x00\u200f\xff\u00a0z`,
		strings.Repeat("x", 256): strings.Repeat("x", 253) + "...",
		strings.Repeat("x", 300): strings.Repeat("x", 253) + "...",
		strings.Repeat("é", 300): strings.Repeat("é", 126) + "...",
		strings.Repeat("\n", 99): "",
	} {
		got := quote(in)
		if want != "" && got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
		if len(got) > MaxText || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\x1b") {
			t.Errorf("%q: %q", in, got)
		}
	}
}

// TestLines: an API that fails and recovers all day doesn't fill the log.
func TestLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logged := &lines{}
		log := Bounded(logged)
		for range 1000 {
			log.Infof("%s", "x")
		}
		if len(*logged) != maxLines {
			t.Fatalf("%d lines", len(*logged))
		}
		time.Sleep(linePause)
		log.Warningf("%s", "y")
		log.Errorf("%s", "z")
		if n := len(*logged); n != maxLines+1 || !strings.HasPrefix((*logged)[n-1], "y (") || !strings.Contains((*logged)[n-1], "900") {
			t.Errorf("%d lines, %q", n, (*logged)[n-1])
		}
		time.Sleep(2 * maxLines * linePause)
		for range 2 * maxLines {
			log.Infof("%s", "x")
		}
		if n := len(*logged); n != 2*maxLines+1 || (*logged)[n-1] != "x" {
			t.Errorf("%d lines, %q", n, (*logged)[n-1])
		}
	})
}
