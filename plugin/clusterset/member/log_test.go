package member

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/conditions"
)

// TestWords: an API's text is on one line of the log, bounded, and forges none: a Status'
// message, another text, a reason of HTTP's.
func TestWords(t *testing.T) {
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
			if strings.ContainsAny(line, "\n\r\x1b\u202e") || len(line) > conditions.MaxText+120 {
				t.Errorf("%s: logged %q", name, line)
			}
		}
	}
}
