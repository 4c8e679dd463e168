// Package check looks whether clusterset works in a cluster, and names what is wrong, what it
// leads to, and what mends it. It never stops at the first finding, and a check whose cause
// another one has named already is skipped. It changes nothing.
//
// catalog.go has the checks, in their order: causes come before what they lead to. Each has
// an id, and a section of that name in README.md, which --explain prints.
package check

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/install"
)

// timeout bounds all of it: a member's API that hangs has 5 s of it, a replica 10 s.
const timeout = 2 * time.Minute

// New returns the command.
func New(c *cli.Context) *cobra.Command {
	output := cli.NewOutput(cli.Table, cli.Wide, cli.Short, cli.JSON, cli.YAML)
	where := install.Where{}
	before, explained := false, ""
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Look whether it works, and name what is wrong and what mends it",
		Long: `Look whether it works, and name what is wrong and what mends it.

Each check is a line with an id, which --explain explains. One that isn't good has its
reason, what it leads to and the command that mends it; one whose cause another has named is
skipped. Nothing is changed.

Exit codes: 0 all good, 1 warnings, 2 failed, 3 wrong usage.`,
		Example: `  kubectl clusterset check
  kubectl clusterset check --pre     # before an install
  kubectl clusterset check -o short  # what isn't good, a line each
  kubectl clusterset check --explain CS201`,
		Args: cli.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if explained != "" {
				return explain(c.Out, explained)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			r := run(ctx, &look{c: c, where: where, before: before}, catalog)
			if err := r.print(c, output); err != nil {
				return err
			}
			return cli.Exit(r.exitCode())
		},
	}
	cmd.Flags().BoolVar(&before, "pre", false, "Check what must hold before clusterset is installed")
	cmd.Flags().StringVar(&explained, "explain", "", "Explain the check of this ID: what one sees, why, and what mends it; nothing is checked")
	_ = cmd.RegisterFlagCompletionFunc("explain", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return ids(), cobra.ShellCompDirectiveNoFileComp
	}) // an error means that it is registered
	where.AddFlag(cmd.Flags())
	output.AddFlag(cmd)
	return cmd
}
