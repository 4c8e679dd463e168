package cli

import (
	"errors"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DryRun is the flag --dry-run, with kubectl's words. The zero value is none.
type DryRun string

// The dry runs: nothing is sent, or the APIs check all of it and keep nothing.
const (
	DryRunNone   DryRun = ""
	DryRunClient DryRun = "client"
	DryRunServer DryRun = "server"
)

// AddFlag adds --dry-run to the command.
func (d *DryRun) AddFlag(cmd *cobra.Command) {
	cmd.Flags().Var(d, "dry-run", "none|client|server: send nothing, or let the APIs check all of it and keep nothing")
	cmd.Flags().Lookup("dry-run").NoOptDefVal = string(DryRunClient)
	_ = cmd.RegisterFlagCompletionFunc("dry-run", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{none, string(DryRunClient), string(DryRunServer)}, cobra.ShellCompDirectiveNoFileComp
	}) // an error means that it is registered
}

const none = "none"

// String implements pflag.Value.
func (d *DryRun) String() string {
	if *d == DryRunNone {
		return none
	}
	return string(*d)
}

// Type implements pflag.Value.
func (d *DryRun) Type() string { return "string" }

// Set implements pflag.Value.
func (d *DryRun) Set(value string) error {
	switch DryRun(value) {
	case none:
		*d = DryRunNone
	case DryRunClient, DryRunServer:
		*d = DryRun(value)
	default:
		return errors.New("must be none, client or server")
	}
	return nil
}

// On reports whether nothing is to be kept.
func (d DryRun) On() bool { return d != DryRunNone }

// Options are those of a request that changes something.
func (d DryRun) Options() []string {
	if d.On() {
		return []string{metav1.DryRunAll}
	}
	return nil
}

// Note follows what became of an object: that it didn't.
func (d DryRun) Note() string {
	if d.On() {
		return " (" + string(d) + " dry run)"
	}
	return ""
}
