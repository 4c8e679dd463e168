// The command line: kubectl clusterset, a plugin of kubectl. Each verb is a package here,
// and what they share is in cli.
package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/check"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/inventory"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/join"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/leave"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/lint"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/lookup"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/renew"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/status"
)

// version is clusterset's own; the Makefile sets it.
var version = "dev"

func main() {
	c := cli.New(os.Stdin, os.Stdout, os.Stderr, version)
	os.Exit(c.Run(newRoot(c), os.Args[1:]))
}

// newRoot returns the command line with every verb.
func newRoot(c *cli.Context) *cobra.Command {
	return cli.NewRoot(c,
		check.New(c),
		inventory.New(c),
		join.New(c),
		leave.New(c),
		lint.New(c),
		lookup.New(c),
		renew.New(c),
		status.New(c),
	)
}
