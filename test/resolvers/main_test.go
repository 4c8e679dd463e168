//go:build e2e && linux

package resolvers

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// ours4 and ours6 are the addresses of the server under test: all that its machine
// has, besides loopback.
const ours4, ours6 = "10.101.0.53", "fd00:101::53"

// inside is set in the process that has a network namespace of its own.
const inside = "RESOLVERS_INSIDE"

// TestMain runs the tests in a network namespace that ends with them.
func TestMain(m *testing.M) {
	if os.Getenv(inside) != "" {
		if err := addresses(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	command := exec.Command("/proc/self/exe", os.Args[1:]...)
	command.Env = append(os.Environ(), inside+"=1")
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	err := command.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func addresses() error {
	for _, line := range []string{"link set lo up", "addr add " + ours4 + "/32 dev lo", "addr add " + ours6 + "/128 dev lo nodad"} {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", line, err, out)
		}
	}
	return nil
}
