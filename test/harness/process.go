//go:build e2e

package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// endTimeout is how long a CoreDNS may take to end: its own grace is 5 s.
const endTimeout = 10 * time.Second

// Process is a CoreDNS that runs on the Corefile of its own directory. A failure
// of its methods fails the test that it was started for.
type Process struct {
	t       testing.TB
	name    string // in what a failed test says
	dir     string // its working directory
	command *exec.Cmd
	ended   chan struct{} // closed when command has ended
	stopped bool          // its end was wanted
}

// StartCoreDNS runs bin/coredns, or COREDNS_BIN, in a directory with the files,
// by name, one of them the Corefile; it doesn't wait for anything. The test's end
// stops it, and a failed test shows the end of its log under the name.
func StartCoreDNS(t testing.TB, name string, files map[string]string) *Process {
	t.Helper()
	p := &Process{t: t, name: name, dir: t.TempDir()}
	for file, text := range files {
		p.Write(file, text)
	}
	p.Start()
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("the end of the log of %s:\n%s", p.name, tail(p.Log()))
		}
	})
	return p
}

// Start runs it again after a Stop, on the files as they are now.
func (p *Process) Start() {
	p.t.Helper()
	log, err := os.OpenFile(p.path(logFile), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer log.Close() // the child has its own
	p.command = exec.Command(binary(p.t), "-conf", "Corefile")
	p.command.Dir, p.command.Stdout, p.command.Stderr = p.dir, log, log
	// A test that is killed cleans nothing up.
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.command.Start(); err != nil {
		p.t.Fatal(err)
	}
	ended := make(chan struct{})
	p.ended, p.stopped = ended, false
	command := p.command
	go func() {
		defer close(ended)
		_ = command.Wait() // ProcessState tells
	}()
}

// Stop ends it as an operator would. It must end by itself, within 10 s, and
// well. One that has been stopped is left alone.
func (p *Process) Stop() {
	p.t.Helper()
	if p.stopped {
		return
	}
	p.stopped = true
	_ = p.command.Process.Signal(syscall.SIGTERM) // fails when it has ended: its code tells
	select {
	case <-p.ended:
		if !p.command.ProcessState.Success() {
			p.t.Errorf("%s: %v", p.name, p.command.ProcessState)
		}
	case <-time.After(endTimeout):
		p.t.Errorf("%s: did not end within %v of SIGTERM", p.name, endTimeout)
		_ = p.command.Process.Kill()
		<-p.ended
	}
}

// Running fails the test when it ended by itself: there is nothing to wait for.
func (p *Process) Running() {
	p.t.Helper()
	select {
	case <-p.ended:
		p.t.Fatalf("%s has ended: %v", p.name, p.command.ProcessState)
	default:
	}
}

// AwaitDNS waits until it answers the client, at addr, with a record of type A of
// that name; no longer than StartLimit.
func (p *Process) AwaitDNS(client dns.Client, addr, name string) {
	p.t.Helper()
	client.Timeout = time.Second
	question := new(dns.Msg).SetQuestion(name, dns.TypeA)
	Eventually(p.t, StartLimit, p.name+" at "+addr, func() error {
		p.Running()
		reply, _, err := client.Exchange(question, addr)
		if err == nil && len(reply.Answer) == 0 {
			return fmt.Errorf("no answer: %s", dns.RcodeToString[reply.Rcode])
		}
		return err
	})
}

// OpenFiles counts its file descriptors, sockets among them.
func (p *Process) OpenFiles() int {
	p.t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.command.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	return len(list)
}

// Write replaces a file in its directory at once; Read is a file's text.
func (p *Process) Write(file, text string) { p.t.Helper(); WriteFile(p.t, p.path(file), text) }
func (p *Process) Read(file string) string { p.t.Helper(); return ReadFile(p.t, p.path(file)) }
func (p *Process) path(file string) string { return filepath.Join(p.dir, file) }
