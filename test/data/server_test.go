//go:build e2e

package data

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"
)

// Modes that answer from data.
const (
	auto    = "auto"
	resolve = "resolve"
)

// server is a clusterset server: the CoreDNS under test.
type server struct {
	*process
	mode    string
	addr    string // of DNS
	ready   string // URLs
	metrics string
}

// setFile is the file with the ClusterSet, where it isn't in a ConfigMap.
const setFile = "clusterset.yaml"

// newServer starts a CoreDNS whose ClusterSet is where the lines of the source
// say, and doesn't wait for it.
func newServer(t *testing.T, mode, source, document string) *server {
	t.Helper()
	dns, ready, metrics := freeAddr(t, ip), freeAddr(t, ip), freeAddr(t, ip)
	s := &server{mode: mode, addr: dns, ready: "http://" + ready + "/ready", metrics: "http://" + metrics + "/metrics"}
	s.process = startCoreDNS(t, map[string]string{
		setFile: document,
		"Corefile": fmt.Sprintf(`.:%s {
    bind %s
    ready %s
    prometheus %s
    errors
    clusterset lan in-addr.arpa {
        %s
        mode %s
        ttl %d
    }
}
`, port(dns), ip, ready, metrics, source, mode, freshTTL),
	})
	return s
}

// startServer starts one whose ClusterSet is in a file, and returns when its data
// are there.
func startServer(t *testing.T, mode string, members ...entry) *server {
	t.Helper()
	s := newServer(t, mode, "file "+setFile, document(members...))
	s.awaitReady(t, startLimit)
	return s
}

// startBoth starts a server of each mode.
func startBoth(t *testing.T, members ...entry) []*server {
	t.Helper()
	both := []*server{startServer(t, auto, members...), startServer(t, resolve, members...)}
	for _, s := range both {
		for _, m := range members {
			s.awaitState(t, startLimit, m.name, fresh)
		}
	}
	return both
}

// set gives it another ClusterSet.
func (s *server) set(members ...entry) { s.t.Helper(); s.write(setFile, document(members...)) }

// awaitReady waits until it is ready, gives how long that took, and waits until it
// listens: the ready plugin does so some milliseconds earlier.
func (s *server) awaitReady(t *testing.T, limit time.Duration) time.Duration {
	t.Helper()
	took := eventually(t, limit, s.mode+" ready", s.isReady)
	eventually(t, limit, s.mode+" listens", func() error {
		_, err := s.ask("lan.")
		return err
	})
	return took
}

// isReady is nil when the ready plugin says so.
func (s *server) isReady() error {
	s.t.Helper()
	s.running()
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(s.ready)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New("ready: " + response.Status)
	}
	return nil
}

func port(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}
