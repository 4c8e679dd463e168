// Package leave undoes what join made for a member, on both sides, and nothing else.
package leave

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/objects"
)

type options struct {
	fromContext, configMap string
	force                  bool
}

// New returns the command.
func New(c *cli.Context) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "leave NAME [--from-context CONTEXT]",
		Short: "Undo what join made for a cluster, here and there",
		Long: `Undo what join made for a cluster, here and there.

Here is the cluster of the current context. A cluster that was joined by --contexts leaves
each of the others by itself: "--context" chooses which.

Exit codes: 0 good, 1 something stays in the other cluster (--force), 2 failed, 3 wrong usage.`,
		Example: `  kubectl clusterset leave cluster2 --from-context east

  # The other cluster is gone; what would have to be removed there is listed
  kubectl clusterset leave cluster2 --force`,
		Args: cli.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			l := &leaver{Context: c, options: o, name: args[0]}
			return l.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&o.fromContext, "from-context", "", "Context of the cluster that leaves; by default the one of its name")
	cmd.Flags().BoolVar(&o.force, "force", false, "Leave what is in the other cluster there, where it can't be reached")
	cmd.Flags().StringVar(&o.configMap, "configmap", "", "The ClusterSet's NAMESPACE/NAME; by default that of the install found")
	_ = cmd.RegisterFlagCompletionFunc("from-context", c.CompleteContexts) // an error means that it is registered
	return cmd
}

// leaver runs the command.
type leaver struct {
	*cli.Context
	*options
	name    string
	here    *objects.Cluster
	local   objects.Local
	removed int
}

// run removes the entry first, for CoreDNS to stop using the rest, and the Secret last of
// what is the member's: it tells whose it is, to who runs this again.
func (l *leaver) run(ctx context.Context) error {
	var err error
	if l.here, err = objects.Connect(ctx, l.Context, ""); err != nil {
		return err
	}
	if l.local, _, err = l.here.FindLocal(ctx, l.configMap); err != nil {
		return err
	}
	set, err := l.here.ReadClusterSet(ctx, l.local)
	if err != nil {
		return err
	}
	if err := set.CanLeave(l.name); err != nil {
		return fmt.Errorf("ConfigMap %s/%s in %s: %w", l.local.Namespace, l.local.ConfigMap, l.here, err)
	}
	secret, err := l.here.GetSecret(ctx, l.local, l.name)
	if err != nil {
		return err
	}
	there, unreached := l.there(ctx, secret)
	if unreached != nil && !l.force {
		return fmt.Errorf("%w\nNothing is changed. With --force this side is undone; there stay:\n%s", unreached, l.stays())
	}
	if err := l.undo(ctx, there); err != nil {
		return err
	}
	if unreached != nil {
		l.Progress("warning: %v\nThere stay:\n%s", unreached, l.stays())
		return cli.Exit(cli.Degraded)
	}
	if l.removed == 0 {
		return fmt.Errorf("%s: isn't joined to %s: nothing that join made was found", l.name, l.here)
	}
	_, err = fmt.Fprintf(l.Out, "%s: has left %s\n", l.name, l.here)
	return err
}

func (l *leaver) stays() string {
	return "  " + strings.Join(objects.Undo(l.local.Use(l.name)), "\n  ")
}

// there returns the member that leaves, nil where join made nothing there, or an error where
// it can't be reached.
func (l *leaver) there(ctx context.Context, secret *v1.Secret) (*objects.Cluster, error) {
	if secret == nil && l.fromContext == "" {
		return nil, nil
	}
	context := l.fromContext
	if context == "" {
		context = l.name
	}
	there, err := objects.Connect(ctx, l.Context, context)
	switch {
	case err != nil && l.fromContext == "":
		return nil, fmt.Errorf("%s: give its context, --from-context: %w", l.name, err)
	case err != nil:
		return nil, fmt.Errorf("%s can't be reached: %w", l.name, err)
	case secret != nil && objects.MemberUID(secret) != there.UID:
		return nil, fmt.Errorf("%s is another cluster than %s was when it joined (the uid of its kube-system is %s, and was %s)",
			there, l.name, there.UID, objects.MemberUID(secret))
	}
	return there, nil
}

func (l *leaver) undo(ctx context.Context, there *objects.Cluster) error {
	outcome, err := l.here.RemoveEntry(ctx, l.local, l.name)
	if err != nil {
		return err
	}
	l.tell(l.here, fmt.Sprintf("ConfigMap %s/%s, key %s", l.local.Namespace, l.local.ConfigMap, objects.EntryKey(l.name)), outcome)
	if there != nil {
		if err := l.undoThere(ctx, there); err != nil {
			return err
		}
	}
	others, err := l.here.OtherSecrets(ctx, l.local, l.name)
	if err != nil {
		return err
	}
	var ours []*unstructured.Unstructured
	if !others {
		ours = l.local.Renewal()
	}
	ours = append(ours, l.local.Rights(l.name)...)
	slices.Reverse(ours) // a binding before its role, an account after its rights
	return l.remove(ctx, l.here, append(ours, l.local.Secret(l.name, "", 0, nil)))
}

// undoThere removes the reader, unless another cluster uses it.
func (l *leaver) undoThere(ctx context.Context, there *objects.Cluster) error {
	outcome, others, err := there.LeaveReader(ctx, l.local.Use(l.name))
	if err != nil {
		return err
	}
	if outcome == objects.Changed {
		l.removed++
	}
	all := objects.MemberObjects()
	slices.Reverse(all)
	if len(others) > 0 {
		for _, o := range all {
			l.Progress("%s in %s: kept: used by %s", objects.Describe(o), there, strings.Join(others, ", "))
		}
		return nil
	}
	return l.remove(ctx, there, all)
}

// remove removes all objects that it can, in their order.
func (l *leaver) remove(ctx context.Context, cluster *objects.Cluster, all []*unstructured.Unstructured) error {
	var failed []error
	for _, o := range all {
		if len(failed) > 0 && o.GetKind() == "Secret" {
			break // it tells whose the rest is
		}
		outcome, err := cluster.Remove(ctx, o)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		l.tell(cluster, objects.Describe(o), outcome)
	}
	return errors.Join(failed...)
}

func (l *leaver) tell(cluster *objects.Cluster, what string, outcome objects.Outcome) {
	switch outcome {
	case objects.Absent:
		return
	case objects.Removed:
		l.removed++
	case objects.Kept:
		what += ", which join didn't make,"
	}
	l.Progress("%s in %s: %s", what, cluster, outcome)
}
