package replicas

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

func replicaAt(t *testing.T, serve http.HandlerFunc) *Replica {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	all, err := AtAddresses([]string{strings.TrimPrefix(server.URL, "http://")})
	if err != nil {
		t.Fatal(err)
	}
	return all[0]
}

// TestGet: a server that is none of ours, or says more than it should, is an error with a
// bound.
func TestGet(t *testing.T) {
	for _, c := range []struct {
		name  string
		serve http.HandlerFunc
		want  string // of the error, "" is none
	}{
		{"good", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, `{"version":"1.2"}`) }, ""},
		{"refused", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintln(w, `{"error":"no\nsuch name"}`)
		}, `HTTP status 400: no\nsuch name`},
		{"not ours", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "<html>") }, "isn't a status"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:9/", http.StatusFound)
		}, "it redirects"},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		}, "larger than 8 MiB"},
		{"compressed", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "gzip" {
				return
			}
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			fmt.Fprintln(z, `{"version":"1.2"}`)
			_ = z.Close()
		}, ""},
		{"endless when uncompressed", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			for range maxReply>>20 + 1 {
				if _, err := z.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
			_ = z.Close()
		}, "larger than 8 MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := replicaAt(t, c.serve).Status(t.Context())
			if c.want == "" && (err != nil || p.Version != "1.2") {
				t.Errorf("have %+v, %v", p, err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

// TestAll: one that doesn't answer is one error, and the others' answers are there.
func TestAll(t *testing.T) {
	good := replicaAt(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, `{"name":%q}`, r.FormValue("name")) })
	gone, err := AtAddresses([]string{"127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	answers := All(t.Context(), []*Replica{gone[0], good}, func(ctx context.Context, r *Replica) (*status.Lookup, error) {
		return r.Lookup(ctx, Question{Name: "a.b.", Type: "A"})
	})
	if answers[0].Err == nil || answers[0].Value != nil {
		t.Errorf("have %+v of one that isn't there", answers[0])
	}
	if answers[1].Err != nil || answers[1].Value.Name != "a.b." {
		t.Errorf("have %+v", answers[1])
	}
}

func TestAtAddresses(t *testing.T) {
	for _, address := range []string{"", "a", ":1", "a:", "1.2.3.4:5:6"} {
		if _, err := AtAddresses([]string{address}); err == nil {
			t.Errorf("%q: no error", address)
		}
	}
}

func TestRefusedError(t *testing.T) {
	var e *RefusedError
	if !errors.As(refused(404, []byte("gone")), &e) || e.Code != 404 || e.Text != "gone" {
		t.Errorf("have %+v", e)
	}
}
