//go:build e2e

package harness

import (
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"
)

// Server is a CoreDNS that tells of itself: one with the ready and prometheus
// plugins.
type Server struct {
	*Process
	Addr           string // of DNS, on UDP and TCP: "127.0.0.1:20053"
	ready, metrics string // URLs
}

// StartServer starts one at a free port of ip, with one server block, for all
// zones. It reports errors and has those lines besides; the files, by name, are
// put beside its Corefile. It doesn't wait for anything.
func StartServer(t testing.TB, name, ip, lines string, files map[string]string) *Server {
	t.Helper()
	dns, ready, metrics := FreeAddr(t, ip), FreeAddr(t, ip), FreeAddr(t, ip)
	all := map[string]string{"Corefile": fmt.Sprintf(".:%d {\n bind %s\n ready %s\n prometheus %s\n errors\n %s\n}\n",
		dns.Port(), ip, ready, metrics, lines)}
	maps.Copy(all, files)
	return &Server{
		Process: StartCoreDNS(t, name, all), Addr: dns.String(),
		ready: fmt.Sprintf("http://%s/ready", ready), metrics: fmt.Sprintf("http://%s/metrics", metrics),
	}
}

// get asks anew each time: a server that reloads closes its connections.
func get(url string, timeout time.Duration) (*http.Response, error) {
	client := http.Client{Timeout: timeout, Transport: &http.Transport{DisableKeepAlives: true}}
	return client.Get(url)
}

// IsReady is nil when the ready plugin says so within a second, and a
// NotReadyError when it says no.
func (s *Server) IsReady() error {
	response, err := get(s.ready, time.Second)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return NotReadyError(response.Status)
	}
	return nil
}

// NotReadyError is the ready plugin's no, an HTTP status, as opposed to its not
// being there.
type NotReadyError string

func (e NotReadyError) Error() string { return "ready: " + string(e) }
