//go:build e2e && linux

package world

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// Result is how a command ended.
type Result struct {
	Code        int
	Out, ErrOut string
}

// Said is all that it wrote, for a failed test.
func (r Result) Said() string { return fmt.Sprintf("exit code %d\n%s%s", r.Code, r.Out, r.ErrOut) }

// CLI is the path of the command line, bin/kubectl-clusterset or CLI_BIN.
func CLI() (string, error) {
	path := os.Getenv("CLI_BIN")
	if path == "" {
		path = filepath.Join(harness.Root(), "bin", "kubectl-clusterset")
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w: run make, or set CLI_BIN", err)
	}
	return path, nil
}

// Clusterset runs "kubectl clusterset" with arguments, as the administrator of all clusters whose
// current context is cluster1's.
func (w *World) Clusterset(args ...string) Result {
	w.t.Helper()
	return w.ClustersetAs(w.Kubeconfig, args...)
}

// ClustersetAs is Clusterset with another kubeconfig.
func (w *World) ClustersetAs(kubeconfig string, args ...string) Result {
	w.t.Helper()
	var out, errOut bytes.Buffer
	command := w.Command(kubeconfig, args...)
	command.Stdout, command.Stderr = &out, &errOut
	err := command.Run()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		w.t.Fatal(err)
	}
	return Result{command.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// Command is what ClustersetAs runs.
func (w *World) Command(kubeconfig string, args ...string) *exec.Cmd {
	w.t.Helper()
	path, err := CLI()
	if err != nil {
		w.t.Fatal(err)
	}
	command := exec.CommandContext(w.t.Context(), path, args...)
	command.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "LANG=C.UTF-8", "LC_ALL=", "TERM=xterm")
	return command
}

// KubeconfigOf writes a kubeconfig of the cluster for a token, and returns its path.
func (c *Cluster) KubeconfigOf(token string) string {
	c.t.Helper()
	path, err := c.writeToken(token, c.API())
	if err != nil {
		c.t.Fatal(err)
	}
	return path
}
