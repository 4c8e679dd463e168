//go:build e2e && linux

// Demokube shows kubectl clusterset on a bare machine: `make demo-kube` runs it.
//
// It starts three clusters (package world): real API servers, and CoreDNS of two replicas
// each. Then it types what README.md shows: the clusters are joined, looked at, one's DNS
// dies and comes back, and one leaves. Each command's output is the real one, and an exit
// code that isn't as it should be ends it. On a terminal a shell is left to the reader, in
// the clusters' network, with KUBECONFIG set.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/term"

	"github.com/coredns-clusterset/clusterset/test/world"
)

func main() {
	world.Enter()
	err := perform(func(t *stage) {
		fmt.Println("Starting three clusters: API servers, and CoreDNS of two replicas each ...")
		w := world.Start(t)
		r := newRunner(t, w, os.Stdout)
		fmt.Println()
		r.play(session)
		if term.IsTerminal(int(os.Stdin.Fd())) {
			r.shell()
		}
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo-kube:", err)
		os.Exit(1)
	}
}

// shell is the reader's own, until it ends.
func (r *runner) shell() {
	shell := os.Getenv("SHELL")
	if shell == "" {
		shell = "/bin/sh"
	}
	fmt.Fprintf(r.out, "\nYour turn, in %s, until you leave it: the contexts are cluster1, cluster2 and cluster3.\n", filepath.Base(shell))
	command := exec.Command(shell)
	command.Env = r.env
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	_ = command.Run() // its status is that of the reader's last command
}
