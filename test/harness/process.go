//go:build e2e

package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

// endTimeout is how long a CoreDNS may take to end: its own grace is 5 s.
const endTimeout = 10 * time.Second

// Process is a CoreDNS that runs on the Corefile of its own directory. A failure
// of its methods fails the test that it was started for.
type Process struct {
	t       testing.TB
	name    string   // in what a failed test says
	dir     string   // its working directory
	inside  []string // the command that it is run by, in a network namespace
	program *Program
	stopped bool // its end was wanted
}

// StartCoreDNS runs bin/coredns, or COREDNS_BIN, in a directory with the files,
// by name, one of them the Corefile; it doesn't wait for anything. The test's end
// stops it, and a failed test shows the end of its log under the name.
func StartCoreDNS(t testing.TB, name string, files map[string]string) *Process {
	t.Helper()
	return StartCoreDNSInside(t, nil, name, files)
}

// StartCoreDNSInside is StartCoreDNS by a command that runs another one, as "ip
// netns exec NAME", and becomes it.
func StartCoreDNSInside(t testing.TB, command []string, name string, files map[string]string) *Process {
	t.Helper()
	p := &Process{t: t, name: name, dir: t.TempDir(), inside: command}
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
	args := slices.Concat(p.inside, []string{corednsBinary(p.t), "-conf", "Corefile"})
	command := exec.Command(args[0], args[1:]...)
	command.Dir = p.dir
	program, err := Run(command, p.path(logFile))
	if err != nil {
		p.t.Fatal(err)
	}
	p.program, p.stopped = program, false
}

// Stop ends it as an operator would. It must end by itself, within 10 s, and
// well. One that has been stopped is left alone.
func (p *Process) Stop() {
	p.t.Helper()
	if p.stopped {
		return
	}
	p.stopped = true
	if err := p.program.Terminate(endTimeout); err != nil {
		p.t.Errorf("%s: %v", p.name, err)
	}
}

// Kill ends it as a crash does.
func (p *Process) Kill() {
	p.stopped = true
	p.program.Kill()
}

// Freeze stops it where it is: what is sent to it is taken by the kernel and waits.
// Each of its threads stops when the kernel gets to it, and until the last has, it
// may answer.
func (p *Process) Freeze() {
	p.t.Helper()
	p.signal(syscall.SIGSTOP)
	err := error(unix.EINTR)
	for errors.Is(err, unix.EINTR) {
		err = unix.Waitid(unix.P_PID, p.PID(), nil, unix.WSTOPPED|unix.WNOWAIT, nil)
	}
	if err != nil {
		p.t.Fatalf("%s: not stopped: %v", p.name, err)
	}
}

// Thaw lets it go on.
func (p *Process) Thaw() { p.t.Helper(); p.signal(syscall.SIGCONT) }

func (p *Process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.program.Signal(s); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
	}
}

// PID is its process's.
func (p *Process) PID() int { return p.program.PID() }

// Running fails the test when it ended by itself: there is nothing to wait for.
func (p *Process) Running() {
	p.t.Helper()
	if err := p.program.Running(); err != nil {
		p.t.Fatalf("%s: %v", p.name, err)
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
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.PID()))
	if err != nil {
		p.t.Fatal(err)
	}
	return len(list)
}

// Write replaces a file in its directory at once; Read is a file's text.
func (p *Process) Write(file, text string) {
	p.t.Helper()
	if file == "Corefile" {
		text = batched(text)
	}
	WriteFile(p.t, p.path(file), text)
}

func (p *Process) Read(file string) string { p.t.Helper(); return ReadFile(p.t, p.path(file)) }
func (p *Process) path(file string) string { return filepath.Join(p.dir, file) }
