package member

import (
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"k8s.io/client-go/rest"
)

// TestRedirects: no request follows one, so no credentials are sent to where it
// leads; and nothing is compressed, or wanted so.
func TestRedirects(t *testing.T) {
	var visits atomic.Int32
	elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	defer elsewhere.Close()
	targets := []string{elsewhere.URL, "/elsewhere", "//" + elsewhere.Listener.Addr().String()}
	for _, path := range []string{probePath, servicesPath, servicesPath + "?watch", groupPath, exportsPath, listPath} {
		for n, status := range []int{301, 302, 303, 307, 308} {
			target := targets[n%len(targets)]
			var wrong atomic.Value
			a := startAPI(t, status != 302, map[string]http.HandlerFunc{
				path: func(w http.ResponseWriter, r *http.Request) {
					if got := r.Header.Get("Accept-Encoding"); got != "identity" {
						wrong.Store("accepts " + got)
					}
					if got := r.Header.Get("Authorization"); got != "Bearer hunter2" {
						wrong.Store("authorization " + got)
					}
					w.Header().Set("Location", target)
					w.WriteHeader(status)
				},
				"/elsewhere": func(http.ResponseWriter, *http.Request) { visits.Add(1) },
			})
			s := startMember(t)
			s.SetCredentials(a.credentials(), nil)
			s.until(path, func() bool { return a.count(path) > 0 })
			if path != servicesPath+"?watch" { // there it may be taken for an API without streamed lists
				s.await("server_error", "refused: a redirect")
			}
			s.Stop()
			if w := wrong.Load(); w != nil {
				t.Errorf("%s: %v", path, w)
			}
		}
	}
	if n := visits.Load(); n > 0 {
		t.Errorf("%d requests went where a redirect led", n)
	}
}

// TestSwitchedProtocols: nor does one leave HTTP.
func TestSwitchedProtocols(t *testing.T) {
	a := startAPI(t, false, map[string]http.HandlerFunc{probePath: func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\nContent-Type: "+asProtobuf+"\r\n\r\n")
		conn.Close()
	}})
	s := startMember(t)
	s.SetCredentials(a.credentials(), nil)
	s.await("server_error", "status 101")
}

// TestWords: what an API says is one line of the log, of a bounded length, and says
// nothing in the log's own name.
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
		got := words(in)
		if want != "" && got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
		if len(got) > maxWords || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\x1b") {
			t.Errorf("%q: %q", in, got)
		}
	}
	// In all that a member tells: a Status' message, another text, a reason of HTTP's.
	for name, handle := range map[string]http.HandlerFunc{
		"a Status": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", asJSON)
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
		path := servicesPath
		if handle == nil {
			path, handle = probePath, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/plain")
				w.WriteHeader(http.StatusBadGateway)
				_, _ = io.WriteString(w, "[FATAL] x\n[FATAL] y\x1b[31m")
			}
		}
		a := startAPI(t, true, map[string]http.HandlerFunc{path: handle})
		s := startMember(t)
		s.SetCredentials(a.credentials(), nil)
		s.await("member c1")
		s.until(name, func() bool { return a.count(path) > 1 })
		s.Stop()
		for _, line := range s.lines() {
			if strings.ContainsAny(line, "\n\r\x1b\u202e") || len(line) > maxWords+120 {
				t.Errorf("%s: told %q", name, line)
			}
		}
	}
}

// TestTokenFile: the token's file is read again when it changes, not by requests.
func TestTokenFile(t *testing.T) {
	var token atomic.Pointer[string]
	a := startAPI(t, true, map[string]http.HandlerFunc{probePath: func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+*token.Load() {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		answer(t, w, namespace("kube-system"))
	}})
	path := writeFile(t, "first\n")
	first := "first"
	token.Store(&first)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Certificate().Raw})
	s := startMember(t)
	s.SetCredentials(Credentials{Config: &rest.Config{Host: a.URL, BearerTokenFile: path, TLSClientConfig: rest.TLSClientConfig{CAData: ca}}}, nil)
	<-s.Synced()
	by := s.newestAttempts()
	second := "second"
	token.Store(&second)
	rewriteFile(t, path, "second")
	by.compare()
	if got := *by.token.Load(); got != "second" {
		t.Errorf("the token is %q", got)
	}
	s.await("synced")
}
