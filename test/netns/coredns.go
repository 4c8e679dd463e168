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

// startTimeout bounds the wait for a server, which takes about 0.3 s.
const startTimeout = 10 * time.Second

// metricsAddress is each CoreDNS's, on the loopback of its own namespace.
const metricsAddress = "127.0.0.1:9153"

// coredns is a cluster's DNS server, which is at times not running.
type coredns struct {
	corefile string
	log      *os.File
	process  *exec.Cmd
}

// startDNS starts CoreDNS in every cluster and waits until all of them answer.
func (n *network) startDNS(t testing.TB) {
	t.Helper()
	for _, c := range n.clusters {
		c.dns = &coredns{corefile: c.writeConfig(t), log: c.openLog(t)}
		c.startDNS(t)
	}
	for _, c := range n.clusters {
		c.awaitDNS(t)
	}
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

// startDNS starts the cluster's CoreDNS and doesn't wait for it.
func (c *cluster) startDNS(t testing.TB) {
	t.Helper()
	command := c.ns.command(binary(t), "-conf", c.dns.corefile)
	command.Dir = filepath.Dir(c.dns.corefile)
	command.Stdout, command.Stderr = c.dns.log, c.dns.log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	c.dns.process = command
	t.Cleanup(func() { kill(command) })
}

// awaitDNS returns when the server answers for the cluster zone.
func (c *cluster) awaitDNS(t testing.TB) {
	t.Helper()
	poll(t, startTimeout, c.name+" answers", func() bool {
		r, err := c.ask(question{name: "lan.", qtype: dns.TypeSOA, timeout: time.Second})
		return err == nil && r.Rcode == dns.RcodeSuccess
	})
}

// killDNS ends the server as a crash does.
func (c *cluster) killDNS(testing.TB) { kill(c.dns.process) }

// freezeDNS stops the server: what is sent to it is taken by the kernel and
// waits. Each of its threads stops when the kernel gets to it, and until the last
// has, it may answer.
func (c *cluster) freezeDNS(t testing.TB) {
	t.Helper()
	c.signalDNS(t, syscall.SIGSTOP)
	err := error(unix.EINTR)
	for errors.Is(err, unix.EINTR) {
		err = unix.Waitid(unix.P_PID, c.dns.process.Process.Pid, nil, unix.WSTOPPED|unix.WNOWAIT, nil)
	}
	if err != nil {
		t.Fatalf("%s: not stopped: %v", c.name, err)
	}
}

// thawDNS lets it go on.
func (c *cluster) thawDNS(t testing.TB) { c.signalDNS(t, syscall.SIGCONT) }

func (c *cluster) signalDNS(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := c.dns.process.Process.Signal(s); err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
}

// kill ends a process, if it hasn't ended yet.
func kill(command *exec.Cmd) {
	_ = command.Process.Kill()
	_ = command.Wait()
}

// binary is the path of the custom CoreDNS.
func binary(t testing.TB) string {
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
