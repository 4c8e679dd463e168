//go:build e2e

package configmap

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

const serverIP = "127.0.0.1"

// server is a clusterset server: the CoreDNS under test.
type server struct {
	*process
	addr    string // of DNS
	ready   string // URLs
	metrics string
}

// startServer starts one whose ClusterSet is in the ConfigMap that the
// kubeconfig leads to, and returns when it answers. It also serves other.test, a
// zone that has nothing to do with the ClusterSet; more are further lines of its
// block.
func startServer(t *testing.T, kubeconfig string, more ...string) *server {
	t.Helper()
	s := newServer(t, kubeconfig, more...)
	eventually(t, startLimit, "start", s.otherZone)
	return s
}

func newServer(t *testing.T, kubeconfig string, more ...string) *server {
	t.Helper()
	port, ready, metrics := freePort(t, serverIP), freePort(t, serverIP), freePort(t, serverIP)
	s := &server{
		addr:    fmt.Sprintf("%s:%d", serverIP, port),
		ready:   fmt.Sprintf("http://%s:%d/ready", serverIP, ready),
		metrics: fmt.Sprintf("http://%s:%d/metrics", serverIP, metrics),
	}
	s.process = startCoreDNS(t, fmt.Sprintf(`.:%d {
    bind %s
    ready %[2]s:%[3]d
    prometheus %[2]s:%[4]d
    errors
    log
    clusterset lan in-addr.arpa {
        configmap
        kubeconfig %[5]s
    }
    file other.db other.test
    %[6]s
}
`, port, serverIP, ready, metrics, kubeconfig, strings.Join(more, "\n    ")), map[string]string{
		"other.db": zone("192.0.2.1"),
		// For a block that serves the local cluster's own domain.
		"here.db": zone(markHere), "here-reverse.db": reverseZone(t, markHere),
	})
	return s
}

// otherZone tells whether what isn't the ClusterSet's is served.
func (s *server) otherZone() error {
	if err := s.running(); err != nil {
		s.t.Fatal(err)
	}
	return s.answers("who.default.svc.other.test.", "NOERROR 192.0.2.1")
}

// isReady is nil when the ready plugin says so.
func (s *server) isReady() error {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(s.ready)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return notReadyError(response.Status)
	}
	return nil
}

// notReadyError is the ready plugin's no, as opposed to its not being there.
type notReadyError string

func (e notReadyError) Error() string { return "ready: " + string(e) }

// What CoreDNS says of a reload's end.
const reloaded, notReloaded = "Reloading complete", "[ERROR] SIGUSR1: "

// reload has the Corefile read again, and waits until it is in force.
func (s *server) reload() { s.t.Helper(); s.signalReload(reloaded) }

// failToReload is reload with a Corefile that can't be put in force.
func (s *server) failToReload() { s.t.Helper(); s.signalReload(notReloaded) }

// reloadLimit bounds a reload. What lasts longer hides the next one: CoreDNS
// takes up one at a time.
const reloadLimit = 5 * time.Second

func (s *server) signalReload(end string) {
	s.t.Helper()
	before := s.logged(end)
	if err := s.command.Process.Signal(syscall.SIGUSR1); err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, reloadLimit, "reload", func() error {
		if s.logged(end) == before {
			return fmt.Errorf("no %q", end)
		}
		return nil
	})
}
