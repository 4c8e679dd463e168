package member

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
)

// TestRedirects: no request follows one, so no credentials are sent to where it
// leads; and nothing is compressed, or wanted so.
func TestRedirects(t *testing.T) {
	var visits atomic.Int32
	elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	defer elsewhere.Close()
	targets := []string{elsewhere.URL, "/elsewhere", "//" + elsewhere.Listener.Addr().String()}
	for _, path := range []string{apitest.ProbePath, apitest.ServicesPath, apitest.ServicesPath + "?watch", apitest.GroupPath, apitest.ExportsPath, apitest.NamespacesPath} {
		for n, status := range []int{301, 302, 303, 307, 308} {
			target := targets[n%len(targets)]
			var wrong atomic.Value
			a := apitest.Start(t, status != 302, map[string]http.HandlerFunc{
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
			s.SetCredentials(from(a), nil)
			s.until(path, func() bool { return a.Count(path) > 0 })
			if path != apitest.ServicesPath+"?watch" { // there it may be taken for an API without streamed lists
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
	a := apitest.Start(t, false, map[string]http.HandlerFunc{apitest.ProbePath: func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\nContent-Type: "+apitest.Protobuf+"\r\n\r\n")
		conn.Close()
	}})
	s := startMember(t)
	s.SetCredentials(from(a), nil)
	s.await("server_error", "status 101")
}
