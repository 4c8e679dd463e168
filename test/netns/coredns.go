//go:build e2e && linux

package netns

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

// startTimeout bounds the wait for a server, which takes about 0.3 s where the machine has
// nothing else to do.
const startTimeout = time.Minute

// metricsAddress is each CoreDNS's, on the loopback of its own namespace.
const metricsAddress = "127.0.0.1:9153"

// coredns is a DNS server in a cluster, which is at times not running.
type coredns struct {
	c        *cluster
	address  string // port 53 of it
	corefile string
	log      *os.File
	process  *exec.Cmd
}

// startDNS starts CoreDNS in every cluster and waits until all of them answer.
func (n *network) startDNS(t testing.TB) {
	t.Helper()
	for _, c := range n.clusters {
		c.dns = c.newDNS(t, c.dnsAddress(), metricsAddress)
		c.dns.start(t)
	}
	for _, c := range n.clusters {
		c.dns.await(t)
	}
}

// newDNS configures a server, which is not started. However often it is, it ends
// with t: a server that a test finds dead brings it back for the tests after it.
func (c *cluster) newDNS(t testing.TB, address, metrics string) *coredns {
	t.Helper()
	s := &coredns{c: c, address: address, corefile: c.writeConfig(t, address, metrics), log: c.openLog(t)}
	t.Cleanup(func() {
		if s.process != nil {
			kill(s.process)
		}
	})
	return s
}

// openLog is where the server logs; a failed test prints it.
func (c *cluster) openLog(t testing.TB) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = file.Close()
		if text, err := os.ReadFile(path); err == nil && t.Failed() {
			t.Logf("log of %s:\n%s", c.name, text[max(0, len(text)-4000):])
		}
	})
	return file
}

// start starts the server and doesn't wait for it.
func (s *coredns) start(t testing.TB) {
	t.Helper()
	command := s.c.ns.command(binaryPath(t), "-conf", s.corefile)
	command.Dir = filepath.Dir(s.corefile)
	command.Stdout, command.Stderr = s.log, s.log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	s.process = command
}

// await returns when the server answers for the cluster zone.
func (s *coredns) await(t testing.TB) {
	t.Helper()
	poll(t, startTimeout, s.c.name+" answers at "+s.address, func() bool {
		r, err := s.c.askAt(s.address, question{name: "lan.", qtype: dns.TypeSOA, timeout: time.Second})
		return err == nil && r.Rcode == dns.RcodeSuccess
	})
}

// kill ends the server as a crash does.
func (s *coredns) kill(testing.TB) { kill(s.process) }

// end ends it as its cluster does: it closes its port and answers what it was
// asked.
func (s *coredns) end(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGTERM)
	if err := s.process.Wait(); err != nil {
		t.Fatalf("%s: %v", s.c.name, err)
	}
}

// restart starts a server that has ended, and waits until it answers.
func (s *coredns) restart(t testing.TB) {
	t.Helper()
	s.start(t)
	s.await(t)
}

// freeze stops the server: what is sent to it is taken by the kernel and waits.
// Each of its threads stops when the kernel gets to it, and until the last has,
// it may answer.
func (s *coredns) freeze(t testing.TB) {
	t.Helper()
	s.signal(t, syscall.SIGSTOP)
	err := error(unix.EINTR)
	for errors.Is(err, unix.EINTR) {
		err = unix.Waitid(unix.P_PID, s.process.Process.Pid, nil, unix.WSTOPPED|unix.WNOWAIT, nil)
	}
	if err != nil {
		t.Fatalf("%s: not stopped: %v", s.c.name, err)
	}
}

// thaw lets it go on.
func (s *coredns) thaw(t testing.TB) { s.signal(t, syscall.SIGCONT) }

func (s *coredns) signal(t testing.TB, sent syscall.Signal) {
	t.Helper()
	if err := s.process.Process.Signal(sent); err != nil {
		t.Fatalf("%s: %v", s.c.name, err)
	}
}

// kill ends a process, if it hasn't ended yet.
func kill(command *exec.Cmd) {
	_ = command.Process.Kill()
	_ = command.Wait()
}

// binaryPath is that of the custom CoreDNS.
func binaryPath(t testing.TB) string {
	t.Helper()
	_, file, _, _ := runtime.Caller(0) // test/netns/coredns.go
	path := filepath.Join(filepath.Dir(file), "..", "..", "bin", "coredns")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run make", err)
	}
	return path
}

// poll waits until what it waits for is so, and gives how long that took. There
// is no event to wait for in another process.
func poll(t testing.TB, bound time.Duration, what string, so func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		if time.Since(start) > bound {
			t.Fatalf("not within %v: %s", bound, what)
		}
		<-tick.C
	}
	return time.Since(start)
}
