package corefile

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// startTimeout is how long a start may take: kubernetes waits 5 s for an API that
// isn't there, on a machine that is busy with other packages' tests.
const startTimeout = 60 * time.Second

var addresses atomic.Uint32

// loopback is an address that nobody else has, so that every server can have the
// ports its Corefile gives it: 127.0.0.0/8 is all this machine's.
func loopback() string {
	pid, n := os.Getpid(), addresses.Add(1)
	return fmt.Sprintf("127.%d.%d.%d", 64+pid>>8&0x7f, pid&0xff, n)
}

// server is a running CoreDNS.
type server struct {
	place
	program *harness.Program
}

// start runs CoreDNS with a Corefile's text, rewritten for p, and returns when
// CoreDNS says that all is started.
func start(t *testing.T, p place, corefile string) *server {
	t.Helper()
	dir := t.TempDir()
	text := p.rewrite(t, corefile)
	if err := os.WriteFile(filepath.Join(dir, "Corefile"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, "-conf", "Corefile")
	command.Dir = dir
	running, err := harness.Run(command, filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		running.Kill() // not asked to end: lameduck would take 5 s
		if t.Failed() {
			t.Logf("%s\n%s", text, running.Log())
		}
	})
	if err := running.AwaitListening(t.Context(), startTimeout); err != nil {
		t.Fatalf("CoreDNS: %v", err)
	}
	return &server{p, running}
}

// ask asks the server's plain DNS, with EDNS for extended errors.
func (s *server) ask(t *testing.T, name string, qtype uint16) *dns.Msg {
	t.Helper()
	return s.exchange(t, dns.Client{Timeout: 10 * time.Second}, s.port, name, qtype)
}

func (s *server) exchange(t *testing.T, client dns.Client, port int, name string, qtype uint16) *dns.Msg {
	t.Helper()
	reply, err := harness.Ask(client, net.JoinHostPort(s.address, fmt.Sprint(port)), name, qtype)
	if err != nil {
		t.Fatalf("%s %s: %v", name, dns.TypeToString[qtype], err)
	}
	return reply
}

// ready is what the ready plugin says: the status, and who isn't.
func (s *server) ready(t *testing.T) (int, string) {
	t.Helper()
	reply, err := http.Get("http://" + net.JoinHostPort(s.address, "8181") + "/ready")
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply.StatusCode, string(body)
}

// encrypted is a client of DNS over TLS.
func encrypted(config *tls.Config) dns.Client {
	return dns.Client{Net: "tcp-tls", TLSConfig: config, Timeout: 10 * time.Second}
}
