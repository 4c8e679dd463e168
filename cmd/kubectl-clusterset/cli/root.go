package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
)

// NewRoot returns the command that the verbs are added to.
func NewRoot(c *Context, verbs ...*cobra.Command) *cobra.Command {
	root := &cobra.Command{
		Use:   "clusterset",
		Short: "Join clusters by DNS, see that it works, and ask why when it doesn't",
		Long: `Join clusters by DNS, see that it works, and ask why when it doesn't.

Exit codes: 0 good, 1 degraded or warnings, 2 failed, 3 wrong usage.
Data are on standard output, progress and errors on standard error.`,
		Annotations: map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl clusterset"},
		Args:        Args(cobra.NoArgs),
		// Run prints an error, once.
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.Flags.AddFlags(root.PersistentFlags())
	root.SetIn(c.In)
	root.SetOut(c.Out)
	root.SetErr(c.ErrOut)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return Usage("%w", err) })
	_ = root.RegisterFlagCompletionFunc("context", c.CompleteContexts) // an error means that it is registered
	root.AddCommand(newVersion(c))
	root.AddCommand(verbs...)
	return root
}

// Args returns check with its error as one of usage, which says what would be right.
func Args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		switch {
		case err == nil:
			return nil
		case !cmd.HasParent():
			return Usage("%w", err) // its usage is that of every verb
		}
		return Usage("%w; it is: %s", err, cmd.UseLine())
	}
}

// Run runs the command with arguments, prints its error, if there is one, and returns the
// exit code.
func (c *Context) Run(root *cobra.Command, args []string) int {
	quietLibrary()
	// A deprecated API that a server warns of is ours to mend, not the user's.
	rest.SetDefaultWarningHandler(rest.NoWarnings{})
	root.SetArgs(args)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return Good
	}
	var exit *ExitError
	if !errors.As(err, &exit) {
		exit = &ExitError{Code: Failed, Err: err}
	}
	if exit.Err != nil {
		fmt.Fprintln(c.ErrOut, "error:", strings.TrimSpace(exit.Err.Error()))
	}
	if exit.Code == WrongUsage {
		fmt.Fprintf(c.ErrOut, "See '%s --help'.\n", command.CommandPath())
	}
	return exit.Code
}

func newVersion(c *Context) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  Args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(c.Out, c.Version)
			return err
		},
	}
}

// Progress prints a line for people to standard error.
func (c *Context) Progress(format string, args ...any) {
	fmt.Fprintf(c.ErrOut, format+"\n", args...)
}

// isTerminal reports whether w is one.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && file.Name() != os.DevNull
}
