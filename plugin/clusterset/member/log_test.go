package member

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
)

// TestWords: an API's text is on one line of the log, bounded, and forges none.
func TestWords(t *testing.T) {
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
		if len(got) > maxText || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\x1b") {
			t.Errorf("%q: %q", in, got)
		}
	}
	// In all that a member logs: a Status' message, another text, a reason of HTTP's.
	for name, handle := range map[string]http.HandlerFunc{
		"a Status": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", apitest.JSON)
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"no\n[FATAL] x\u001b[31m%s"}`, strings.Repeat("long", 1000))
		},
		"a text": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, "[FATAL] x\n[FATAL] y\x1b[31m"+strings.Repeat("long", 1000))
		},
		"a type": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "x\u202e"+strings.Repeat("long", 1000))
			_, _ = io.WriteString(w, "x")
		},
		"a probe": nil,
	} {
		path := apitest.ServicesPath
		if handle == nil {
			path, handle = apitest.ProbePath, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/plain")
				w.WriteHeader(http.StatusBadGateway)
				_, _ = io.WriteString(w, "[FATAL] x\n[FATAL] y\x1b[31m")
			}
		}
		a := apitest.Start(t, true, map[string]http.HandlerFunc{path: handle})
		s := startMember(t)
		s.SetCredentials(from(a), nil)
		s.await("Member c1")
		s.until(name, func() bool { return a.Count(path) > 1 })
		s.Stop()
		for _, line := range s.lines() {
			if strings.ContainsAny(line, "\n\r\x1b\u202e") || len(line) > maxText+120 {
				t.Errorf("%s: logged %q", name, line)
			}
		}
	}
}

// TestLines: an API that fails and recovers all day doesn't fill the log.
func TestLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logged := &lines{}
		log := &boundedLog{inner: logged, since: time.Now()}
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
