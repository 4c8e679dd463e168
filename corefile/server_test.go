package corefile

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
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
	process *os.Process
	log     *lockedBuffer
	logged  chan struct{} // closed when the log is whole
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
	s := &server{place: p, log: &lockedBuffer{}, logged: make(chan struct{})}
	out, in := io.Pipe()
	command := exec.Command(program, "-conf", "Corefile")
	command.Dir = dir
	command.Stdout, command.Stderr = in, in
	started, ended := make(chan struct{}), make(chan error, 1)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	s.process = command.Process
	go s.read(out, started)
	go func() {
		err := command.Wait()
		_ = in.Close()
		ended <- err
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill() // not asked to end: lameduck would take 5 s
		if err := <-ended; t.Failed() {
			t.Logf("%v\n%s\n%s", err, text, s.log)
		}
	})
	select {
	case <-started:
	case err := <-ended:
		ended <- err
		t.Fatal("CoreDNS has ended")
	case <-time.After(startTimeout):
		t.Fatalf("CoreDNS has not started within %v", startTimeout)
	}
	return s
}

// read keeps what CoreDNS prints. After its listeners' addresses, when all have
// started, it prints its version.
func (s *server) read(out io.Reader, started chan<- struct{}) {
	defer close(s.logged)
	lines := bufio.NewScanner(out)
	for once := sync.OnceFunc(func() { close(started) }); lines.Scan(); {
		fmt.Fprintln(s.log, lines.Text())
		if strings.HasPrefix(lines.Text(), "CoreDNS-") {
			once()
		}
	}
}

// ask asks the server's plain DNS, with EDNS for extended errors.
func (s *server) ask(t *testing.T, name string, qtype uint16) *dns.Msg {
	t.Helper()
	return s.exchange(t, &dns.Client{Timeout: 10 * time.Second}, s.port, name, qtype)
}

func (s *server) exchange(t *testing.T, client *dns.Client, port int, name string, qtype uint16) *dns.Msg {
	t.Helper()
	m := new(dns.Msg).SetQuestion(name, qtype).SetEdns0(1232, false)
	reply, _, err := client.Exchange(m, net.JoinHostPort(s.address, fmt.Sprint(port)))
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
func encrypted(config *tls.Config) *dns.Client {
	return &dns.Client{Net: "tcp-tls", TLSConfig: config, Timeout: 10 * time.Second}
}

type lockedBuffer struct {
	sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.Lock()
	defer b.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.Lock()
	defer b.Unlock()
	return b.Buffer.String()
}
