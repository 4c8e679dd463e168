package statuspage

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// source answers with what a test gives it.
type source struct {
	process status.Process
	lookup  func(ctx context.Context, name, qtype, client string) (status.Lookup, error)
}

func (s *source) Statuses() status.Process { return s.process }

func (s *source) Lookup(ctx context.Context, name, qtype, client string) (status.Lookup, error) {
	return s.lookup(ctx, name, qtype, client)
}

// ask makes a request of h; headers are pairs.
func ask(h http.Handler, method, target string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	r.Host = "127.0.0.1:9154"
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// testSource echoes a look-up's question; some names are errors.
func testSource() *source {
	return &source{
		process: status.Process{Version: "CoreDNS-1", Host: "pod <1>", Stanzas: []status.Stanza{}},
		lookup: func(_ context.Context, name, qtype, client string) (status.Lookup, error) {
			switch name {
			case "usage", "":
				return status.Lookup{}, UsageError("name: no")
			case "broken":
				return status.Lookup{}, errors.New("broken")
			}
			return status.Lookup{Name: name, Type: qtype, Client: client, Steps: []string{}}, nil
		},
	}
}

// TestHandler: what is answered to what, and the headers of all of it.
func TestHandler(t *testing.T) {
	h := NewHandler(testSource(), "status.example")
	for _, c := range []struct {
		method, target string
		headers        []string
		code           int
		text           string // is in the body
	}{
		{"GET", "/", nil, 200, "<title>"},
		{"HEAD", "/", nil, 200, ""},
		{"GET", "/dom.js", nil, 200, "textContent"},
		{"GET", "/healthz", nil, 200, "OK\n"},
		{"GET", "/status.json", nil, 200, `"version":"CoreDNS-1","host":"pod \u003c1\u003e"`},
		{"HEAD", "/status.json", nil, 200, ""},
		{"GET", "/handler.go", nil, 404, "there are /, /status.json"},
		{"GET", "/../handler.go", nil, 307, ""},
		{"POST", "/status.json", nil, 405, `{"error":"only GET and HEAD: nothing can be changed here"}`},
		{"DELETE", "/", nil, 405, ""},
		{"OPTIONS", "/lookup", []string{"Origin", "http://evil.example", "Access-Control-Request-Method", "GET"}, 405, ""},
		{"CONNECT", "/", nil, 405, ""},

		{"GET", "/lookup?name=a.lan&type=A&client=192.0.2.1", nil, 200, `{"name":"a.lan","type":"A","client":"192.0.2.1",`},
		{"GET", "/lookup?name=a.lan", nil, 200, `"type":"","client":""`},
		{"GET", "/lookup", nil, 400, `{"error":"name: no"}`},
		{"GET", "/lookup?name=usage", nil, 400, `{"error":"name: no"}`},
		{"GET", "/lookup?name=broken", nil, 500, `{"error":"broken"}`},
		{"GET", "/lookup?name=a&name=b", nil, 400, "name: given 2 times, takes one value"},
		{"GET", "/lookup?name=a&nam=b", nil, 400, `\"nam\": no parameter; there are name, type and client`},
		{"GET", "/lookup?name=%zz", nil, 400, "malformed"},
		{"GET", "/lookup?name=" + strings.Repeat("a", maxQuery), nil, 414, "4101 bytes, 4096 are the most"},

		{"GET", "/", []string{"Host", "localhost:1"}, 200, ""},
		{"GET", "/", []string{"Host", "LOCALHOST."}, 200, ""},
		{"GET", "/", []string{"Host", "[::1]:9154"}, 200, ""},
		{"GET", "/", []string{"Host", "[::1]"}, 200, ""},
		{"GET", "/", []string{"Host", "10.0.0.1"}, 200, ""},
		{"GET", "/", []string{"Host", "Status.Example:80"}, 200, ""},
		{"GET", "/", []string{"Host", "evil.example:9154"}, 403, `Host \"evil.example:9154\": a name`},
		{"GET", "/status.json", []string{"Host", "127.0.0.1.evil.example"}, 403, "DNS rebinding"},
		{"GET", "/status.json", []string{"Host", "localhost.evil.example"}, 403, ""},
		{"GET", "/status.json", []string{"Host", "evil.example@127.0.0.1"}, 403, ""},
		{"GET", "/status.json", []string{"Host", "127.0.0.1/@evil.example"}, 403, ""},
		{"GET", "/healthz", []string{"Host", ""}, 403, ""},

		{"GET", "/status.json", []string{"Origin", "http://127.0.0.1:9154"}, 200, ""},
		{"GET", "/status.json", []string{"Host", "localhost:80", "Origin", "https://localhost:80"}, 200, ""},
		{"GET", "/status.json", []string{"Origin", "http://127.0.0.1:80"}, 403, "another origin"},
		{"GET", "/lookup?name=a", []string{"Origin", "http://evil.example"}, 403, "another origin"},
		{"GET", "/lookup?name=a", []string{"Origin", "null"}, 403, "another origin"},

		{"GET", "/page.js", []string{"Range", "bytes=0-0,1-1"}, 200, "status.json"},
		{"OPTIONS", "*", nil, 405, ""},

		{"GET", "/status.json", []string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors"}, 200, ""},
		{"GET", "/", []string{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate"}, 200, ""},
		{"GET", "/", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200, ""},
		{"GET", "/", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 403, "another origin"},
		{"GET", "/lookup?name=a", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403, "another origin"},
		{"GET", "/lookup?name=a", []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403, "another origin"},
	} {
		r := ask(h, c.method, c.target, c.headers...)
		text := body(t, r)
		if r.StatusCode != c.code || !strings.Contains(text, c.text) {
			t.Errorf("%s %.80s %q: %d %q, want %d %q", c.method, c.target, c.headers, r.StatusCode, text, c.code, c.text)
		}
		for name, value := range headers {
			if r.Header.Get(name) != value {
				t.Errorf("%s %.80s: %s: %q", c.method, c.target, name, r.Header.Get(name))
			}
		}
		if c.code == 405 && r.Header.Get("Allow") != "GET, HEAD" || r.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s: %q", c.method, c.target, r.Header)
		}
		if c.code >= 400 {
			var e struct{ Error string }
			if err := json.Unmarshal([]byte(text), &e); err != nil || e.Error == "" || r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s %.80s: %q isn't an error of JSON", c.method, c.target, text)
			}
		}
	}
}

// TestLookups: so many are looked up at a time, others are told to come again, and who goes
// away ends theirs.
func TestLookups(t *testing.T) {
	began, ended := make(chan bool), make(chan bool)
	s := testSource()
	s.lookup = func(ctx context.Context, name, _, _ string) (status.Lookup, error) {
		if name != "quick" {
			began <- true
			<-ctx.Done()
		}
		return status.Lookup{}, ctx.Err()
	}
	h := NewHandler(s, "")
	ctx, cancel := context.WithCancel(t.Context())
	for range maxLookups {
		go func() {
			r := httptest.NewRequestWithContext(ctx, "GET", "/lookup?name=slow", nil)
			r.Host = "localhost"
			h.ServeHTTP(httptest.NewRecorder(), r)
			ended <- true
		}()
		<-began
	}
	r := ask(h, "GET", "/lookup?name=quick")
	if text := body(t, r); r.StatusCode != http.StatusTooManyRequests || r.Header.Get("Retry-After") != "1" || !strings.Contains(text, `"error":"8 are`) {
		t.Errorf("%d %q", r.StatusCode, text)
	}
	cancel()
	for range maxLookups {
		<-ended
	}
	if r := ask(h, "GET", "/lookup?name=quick"); r.StatusCode != http.StatusOK {
		t.Errorf("%d %q afterwards", r.StatusCode, body(t, r))
	}
}
