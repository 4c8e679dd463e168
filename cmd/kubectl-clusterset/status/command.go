package status

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/replicas"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// command is the verb with its flags.
type command struct {
	*cli.Context
	output *cli.Output
	flags  replicas.Flags
	wait   time.Duration
	watch  bool
}

// New returns the verb.
func New(c *cli.Context) *cobra.Command {
	v := &command{Context: c, output: cli.NewOutput(cli.Table, cli.Wide, cli.JSON, cli.YAML, cli.Short)}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how every replica of clusterset sees every member",
		Long: `Show how every replica of clusterset sees every member.

DNS is whether the member's DNS answers; "idle" wasn't asked yet, as one isn't while there
are data, and "here" is looked up inside the server itself. RTT is the median round trip.
DATA is the state of the Services and EndpointSlices that are watched through its API, AGE
for how long; of stale data, how old they are. REPLICAS is how many replicas see the member
in good health. Below the table is what is wrong, and what differs between replicas.

Exit codes: 0 good (or nothing is joined yet), 1 degraded, 2 failed, 3 wrong usage.`,
		Example: `  kubectl clusterset status
  kubectl clusterset status --wait 2m      # after a join
  kubectl clusterset status -o short       # one line
  kubectl clusterset status --server 127.0.0.1:9154`,
		Args: cli.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return v.run(cmd.Context()) },
	}
	v.output.AddFlag(cmd)
	v.flags.AddTo(cmd.Flags())
	cmd.Flags().DurationVar(&v.wait, "wait", 0, "Wait until every replica has the ClusterSet of now in force and every member answers, for this long at the most")
	cmd.Flags().BoolVarP(&v.watch, "watch", "w", false, "Show it again and again")
	return cmd
}

func (v *command) run(ctx context.Context) error {
	switch {
	case v.wait < 0:
		return cli.Usage("--wait %v: not a time to wait", v.wait)
	case v.wait > 0 && v.watch:
		return cli.Usage("--wait and --watch exclude each other")
	case v.watch:
		return v.watching(ctx)
	case v.wait > 0:
		return v.waiting(ctx)
	}
	r, err := v.look(ctx)
	if err != nil {
		return err
	}
	return v.show(r)
}

// show prints the report, and returns its exit code.
func (v *command) show(r *Report) error {
	if err := r.print(v.Context, v.output); err != nil {
		return err
	}
	return cli.Exit(r.exitCode())
}

// lookTimeout bounds all that one report needs of the API. A replica's answer has its own.
const lookTimeout = 30 * time.Second

// look asks everybody once.
func (v *command) look(ctx context.Context) (*Report, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	t, err := v.flags.Find(ctx, v.Context)
	if err != nil {
		return nil, err
	}
	// Before the replicas: what they have in force is never older than what is compared.
	now := readDocuments(ctx, t)
	answers := replicas.All(ctx, t.Replicas, func(ctx context.Context, r *replicas.Replica) (*status.Process, error) {
		return r.Status(ctx)
	})
	return newReport(t, now, answers), nil
}

// clear is what a terminal takes for an empty screen.
const clear = "\x1b[H\x1b[2J"

// watchPause is between two looks.
const watchPause = 2 * time.Second

// watching shows it until it is interrupted.
func (v *command) watching(ctx context.Context) error {
	pause := time.NewTicker(watchPause)
	defer pause.Stop()
	for {
		r, err := v.look(ctx)
		if v.IsTerminal() && !v.output.IsData() {
			fmt.Fprintf(v.Out, "%s", clear)
		}
		if err == nil {
			err = v.show(r)
		}
		// A cluster that can't be reached now may be in a moment.
		if exit := (*cli.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.Err != nil) {
			fmt.Fprintln(v.ErrOut, "error:", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-pause.C:
		}
		if !v.IsTerminal() && !v.output.IsData() {
			fmt.Fprintln(v.Out)
		}
	}
}
