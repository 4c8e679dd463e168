//go:build e2e && linux

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
	"github.com/coredns-clusterset/clusterset/test/world"
)

// runner types a session.
type runner struct {
	t   testing.TB
	w   *world.World
	out io.Writer
	env []string
	dir string // where commands write their files
}

// step is one of a session.
type step struct {
	// say is a comment, do what happens at it.
	say string
	do  func(*world.World)
	// until is a command that is tried, unseen, until its exit code is code: what happened
	// takes a moment to be seen.
	until string
	// command is typed, and ends with code.
	command string
	code    int
}

// newRunner returns one whose commands find kubectl, and the clusters.
func newRunner(t testing.TB, w *world.World, out io.Writer) *runner {
	t.Helper()
	cli, err := world.CLI()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(cli, filepath.Join(bin, "kubectl-clusterset")); err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("kubectl"); err != nil {
		writeKubectl(t, bin)
	}
	return &runner{t: t, w: w, out: out, dir: t.TempDir(), env: append(os.Environ(),
		"PATH="+bin+":"+os.Getenv("PATH"), "KUBECONFIG="+w.Kubeconfig, "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "TERM=xterm")}
}

// writeKubectl writes what of kubectl runs its plugin, for a machine without it.
func writeKubectl(t testing.TB, dir string) {
	t.Helper()
	const text = `#!/bin/sh
case "$1" in
clusterset) shift; exec kubectl-clusterset "$@" ;;
*) echo "there is no kubectl on this machine; its plugin works: kubectl clusterset" >&2; exit 1 ;;
esac
`
	if err := os.WriteFile(filepath.Join(dir, "kubectl"), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
}

// seen bounds how long what happens takes to be seen; DESIGN's bound for a dead member is
// 10 s, and the machine may be busy.
const seen = time.Minute

func (r *runner) play(steps []step) {
	r.t.Helper()
	for n, s := range steps {
		if n > 0 {
			fmt.Fprintln(r.out)
		}
		if s.say != "" {
			fmt.Fprintln(r.out, "#", s.say)
		}
		if s.do != nil {
			s.do(r.w)
		}
		if s.until != "" {
			r.await(s.until, s.code)
		}
		if s.command == "" {
			continue
		}
		fmt.Fprintln(r.out, "$", s.command)
		if code := r.run(s.command, r.out); code != s.code {
			r.t.Fatalf("%s: exit code %d, want %d", s.command, code, s.code)
		}
	}
}

func (r *runner) await(line string, code int) {
	r.t.Helper()
	_, err := harness.Poll(r.t.Context(), seen, func() error {
		var said strings.Builder
		if got := r.run(line, &said); got != code {
			return fmt.Errorf("%s: exit code %d, want %d:\n%s", line, got, code, said.String())
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// run runs a line in a shell, and returns its exit code.
func (r *runner) run(line string, out io.Writer) int {
	r.t.Helper()
	command := exec.CommandContext(r.t.Context(), "/bin/sh", "-c", line)
	command.Env, command.Dir = r.env, r.dir
	command.Stdout, command.Stderr = out, out
	if err := command.Run(); err != nil && command.ProcessState == nil {
		r.t.Fatalf("%s: %v", line, err)
	}
	return command.ProcessState.ExitCode()
}
