//go:build e2e && linux

package netns

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Where ip keeps a namespace's handle, and files that stand for those in /etc
// for the programs it runs there.
const (
	handles  = "/run/netns"
	etcFiles = "/etc/netns"
)

// namespace is a network namespace, by the name that ip knows.
type namespace string

// command is a program that runs inside, as `ip netns exec` runs it, and dies
// with this process.
func (n namespace) command(program ...string) *exec.Cmd {
	args := slices.Concat(n.exec(), program)
	return mortal(exec.Command(args[0], args[1:]...))
}

// exec is the command that runs another one inside.
func (n namespace) exec() []string { return []string{"ip", "netns", "exec", string(n)} }

// mortal makes a command's process die with this one, however that ends.
func mortal(command *exec.Cmd) *exec.Cmd {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return command
}

// ip runs ip inside.
func (n namespace) ip(t testing.TB, args ...string) {
	t.Helper()
	output(t, mortal(exec.Command("ip", append([]string{"-n", string(n)}, args...)...)))
}

// nft runs nft inside and gives what it prints.
func (n namespace) nft(t testing.TB, args ...string) []byte {
	t.Helper()
	return output(t, n.command(append([]string{"nft"}, args...)...))
}

// output runs a command, which must succeed, and gives its standard output.
func output(t testing.TB, command *exec.Cmd) []byte {
	t.Helper()
	out, err := command.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("%s: %v: %s", strings.Join(command.Args, " "), err, exit.Stderr)
	}
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(command.Args, " "), err)
	}
	return out
}

// dial connects from inside. The address is numeric, so that the socket is made
// by the calling thread, the one that is inside.
func (n namespace) dial(network, address string, timeout time.Duration) (conn net.Conn, err error) {
	inside := n.inside(func() { conn, err = net.DialTimeout(network, address, timeout) })
	if inside != nil {
		return nil, inside
	}
	return conn, err
}

// inside runs f on a thread that is in the namespace, and takes the thread back
// out: one that ended instead would take with it the processes it has started.
func (n namespace) inside(f func()) error {
	there, err := os.Open(filepath.Join(handles, string(n)))
	if err != nil {
		return err
	}
	defer there.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer home.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("setns %s: %w", n, err)
	}
	f()
	if err := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); err != nil {
		panic("setns back from " + string(n) + ": " + err.Error())
	}
	return nil
}
