//go:build e2e

package data

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ip is where all of this package's servers listen. Other tests have other
// addresses: CoreDNS shares its ports (SO_REUSEPORT).
const ip = "127.0.122.1"

// endTimeout is how long a CoreDNS may take to end: its own grace is 5 s.
const endTimeout = 10 * time.Second

// process is a running bin/coredns.
type process struct {
	t       *testing.T
	command *exec.Cmd
	dir     string // its working directory, with its Corefile
	ended   chan struct{}
}

// startCoreDNS runs bin/coredns in a directory with the files, one of them the
// Corefile. The test's end ends it, and its log is shown when the test failed.
func startCoreDNS(t *testing.T, files map[string]string) *process {
	t.Helper()
	p := &process{t: t, dir: t.TempDir(), ended: make(chan struct{})}
	for name, text := range files {
		p.write(name, text)
	}
	log, err := os.Create(filepath.Join(p.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() // the child has its own
	p.command = exec.Command(coreDNS(t), "-conf", "Corefile")
	p.command.Dir, p.command.Stdout, p.command.Stderr = p.dir, log, log
	// A test that is killed cleans nothing up.
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.command.Wait() // ProcessState tells
	}()
	t.Cleanup(p.stop)
	return p
}

// stop ends it as an operator would; it must end by itself, and well.
func (p *process) stop() {
	_ = p.command.Process.Signal(syscall.SIGTERM) // fails when it has ended: its code tells
	select {
	case <-p.ended:
		if !p.command.ProcessState.Success() {
			p.t.Errorf("%s: %v", p.dir, p.command.ProcessState)
		}
	case <-time.After(endTimeout):
		p.t.Errorf("%s: did not end within %v of SIGTERM", p.dir, endTimeout)
		_ = p.command.Process.Kill()
		<-p.ended
	}
	if log := p.log(); p.t.Failed() && strings.Contains(log, "plugin/") { // the others have nothing to say
		p.t.Logf("the log of %s:\n%s", p.dir, log[max(0, len(log)-8000):])
	}
}

// write replaces a file at once, so that nobody reads half of it.
func (p *process) write(name, text string) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		p.t.Fatal(err)
	}
}

// log is what it has said so far.
func (p *process) log() string {
	text, err := os.ReadFile(filepath.Join(p.dir, "log"))
	if err != nil {
		p.t.Error(err)
	}
	return string(text)
}

// running fails the test when it ended by itself: there is nothing to wait for.
func (p *process) running() {
	p.t.Helper()
	select {
	case <-p.ended:
		p.t.Fatalf("%s has ended: %v", p.dir, p.command.ProcessState)
	default:
	}
}

// openFiles counts its file descriptors, sockets among them.
func (p *process) openFiles() int {
	p.t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.command.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	return len(list)
}

// reload has it read its Corefile again, and waits until that is in force.
func (p *process) reload() {
	p.t.Helper()
	const end = "Reloading complete"
	before := strings.Count(p.log(), end)
	if err := p.command.Process.Signal(syscall.SIGUSR1); err != nil {
		p.t.Fatal(err)
	}
	eventually(p.t, startLimit, "reload", func() error {
		if strings.Count(p.log(), end) == before {
			return fmt.Errorf("no %q", end)
		}
		return nil
	})
}

// coreDNS is the path of the binary: COREDNS_BIN, or what make builds.
func coreDNS(t *testing.T) string {
	t.Helper()
	path := os.Getenv("COREDNS_BIN")
	if path == "" {
		_, file, _, _ := runtime.Caller(0) // test/data/process_test.go
		path = filepath.Join(filepath.Dir(file), "..", "..", "bin", "coredns")
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run make, or set COREDNS_BIN", err)
	}
	return path
}

// freeAddr is a port of host that nobody uses, for UDP and TCP. It is below those
// that the kernel gives to clients.
func freeAddr(t *testing.T, host string) string {
	t.Helper()
	for range 100 {
		addr := net.JoinHostPort(host, fmt.Sprint(20000+rand.IntN(12000)))
		tcp, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		udp, err := net.ListenPacket("udp", addr)
		tcp.Close()
		if err != nil {
			continue
		}
		udp.Close()
		return addr
	}
	t.Fatalf("no free port at %s", host)
	return ""
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
