//go:build e2e

package configmap

import (
	"bytes"
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

// endTimeout is how long a CoreDNS may take to end: its own grace is 5 s.
const endTimeout = 10 * time.Second

// process is a running bin/coredns.
type process struct {
	t       *testing.T
	command *exec.Cmd
	dir     string // its working directory, with its Corefile
	ended   chan struct{}
	stopped bool
}

// startCoreDNS runs bin/coredns on the Corefile; files, by name, are put beside
// it. The test's end ends it, and its log is shown when the test failed.
func startCoreDNS(t *testing.T, corefile string, files map[string]string) *process {
	t.Helper()
	p := &process{t: t, dir: t.TempDir()}
	p.write("Corefile", corefile)
	for name, text := range files {
		p.write(name, text)
	}
	p.start()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("the log of %s:\n%s", p.dir, p.tail())
		}
	})
	return p
}

// start runs it, again after a stop.
func (p *process) start() {
	p.t.Helper()
	log, err := os.OpenFile(filepath.Join(p.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close() // the child has its own
	p.command = exec.Command(coreDNS(p.t), "-conf", "Corefile")
	p.command.Dir = p.dir
	p.command.Stdout, p.command.Stderr = log, log
	// A test that is killed cleans nothing up.
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.command.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.stopped = false
	p.ended = make(chan struct{})
	go func() {
		defer close(p.ended)
		_ = p.command.Wait() // ProcessState tells
	}()
}

// stop ends it as an operator would; it must end by itself, and well.
func (p *process) stop() {
	p.t.Helper()
	if p.stopped {
		return
	}
	p.stopped = true
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
}

func (p *process) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *process) read(name string) string {
	p.t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

// log is what it has said so far, its earlier runs included.
func (p *process) log() string { return p.read("log") }

// logged counts the lines of the log that hold all the words.
func (p *process) logged(words ...string) int {
	p.t.Helper()
	found := 0
lines:
	for line := range strings.Lines(p.log()) {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue lines
			}
		}
		found++
	}
	return found
}

// tail is the end of the log, without the lines that the log plugin writes for
// each query.
func (p *process) tail() string {
	var kept []string
	for line := range strings.Lines(p.log()) {
		if !strings.HasPrefix(line, "[INFO] 127.") {
			kept = append(kept, line[:min(len(line), 1000)])
		}
	}
	return strings.Join(kept[max(0, len(kept)-60):], "")
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

// running tells of a process that ended by itself.
func (p *process) running() error {
	select {
	case <-p.ended:
		return fmt.Errorf("ended: %v", p.command.ProcessState)
	default:
		return nil
	}
}

// coreDNS is the path of the binary: COREDNS_BIN, or what make builds.
func coreDNS(t *testing.T) string {
	t.Helper()
	path := os.Getenv("COREDNS_BIN")
	if path == "" {
		_, file, _, _ := runtime.Caller(0) // test/configmap/process_test.go
		path = filepath.Join(filepath.Dir(file), "..", "..", "bin", "coredns")
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run make, or set COREDNS_BIN", err)
	}
	return path
}

// freePort is a port of ip that nobody uses, for UDP and TCP. It is below the
// ports that the kernel gives out, so that no client's socket takes it before
// the server does.
func freePort(t *testing.T, ip string) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(12000)
		addr := net.JoinHostPort(ip, fmt.Sprint(port))
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
		return port
	}
	t.Fatalf("no free port at %s", ip)
	return 0
}

// lines joins the lines of a file.
func lines(text ...string) string {
	var b bytes.Buffer
	for _, line := range text {
		b.WriteString(line)
		b.WriteByte('\n')
	}
	return b.String()
}
