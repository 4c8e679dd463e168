//go:build e2e

package oracle

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

const (
	// limit bounds what is waited for: a start, a change taken up.
	limit = 20 * time.Second
	// pollPause is between two looks at what is waited for.
	pollPause = 5 * time.Millisecond
)

// server is a running bin/coredns.
type server struct {
	addr  string // of DNS, on UDP and TCP
	ended chan struct{}
}

// startCoreDNS runs it in a directory with the files, one of them the Corefile.
// The test's end ends it, and shows its log when the test failed.
func startCoreDNS(t *testing.T, addr string, files map[string]string) *server {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() // the child has its own
	command := exec.Command(coreDNS(t), "-conf", "Corefile")
	command.Dir, command.Stdout, command.Stderr = dir, log, log
	// A test that is killed cleans nothing up.
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	s := &server{addr: addr, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		_ = command.Wait() // what it said is in its log
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill() // fails when it has ended
		<-s.ended
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("%s said at its end:\n%s", addr, text[max(0, len(text)-1500):])
		}
	})
	return s
}

// running fails the test when the server ended by itself.
func (s *server) running(t *testing.T) {
	t.Helper()
	select {
	case <-s.ended:
		t.Fatalf("the CoreDNS at %s has ended", s.addr)
	default:
	}
}

// coreDNS is the path of the binary: COREDNS_BIN, or what make builds.
func coreDNS(t *testing.T) string {
	t.Helper()
	path := os.Getenv("COREDNS_BIN")
	if path == "" {
		_, file, _, _ := runtime.Caller(0) // test/oracle/process_test.go
		path = filepath.Join(filepath.Dir(file), "..", "..", "bin", "coredns")
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run make, or set COREDNS_BIN", err)
	}
	return path
}

// freeAddr is a port of ip that nobody uses, for UDP and TCP. It is below those
// that the kernel gives to clients.
func freeAddr(t *testing.T, ip string) (addr string, port int) {
	t.Helper()
	for range 100 {
		port = 20000 + rand.IntN(12000)
		addr = fmt.Sprintf("%s:%d", ip, port)
		tcp, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		udp, err := net.ListenPacket("udp", addr)
		_ = tcp.Close()
		if err != nil {
			continue
		}
		_ = udp.Close()
		return addr, port
	}
	t.Fatalf("no free port at %s", ip)
	return "", 0
}

// eventually looks until look finds nothing wrong. After limit the test fails
// with what was wrong last.
func eventually(t *testing.T, what string, look func() error) {
	t.Helper()
	pause := time.NewTicker(pollPause)
	defer pause.Stop()
	for end := time.Now().Add(limit); ; <-pause.C {
		err := look()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v: %v", what, limit, err)
		}
	}
}
