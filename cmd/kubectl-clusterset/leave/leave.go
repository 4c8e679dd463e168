// Package leave undoes what join made for a member, on both sides, or import here, and nothing
// else.
package leave

import (
	"cmp"
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
	dryRun                 cli.DryRun
}

// New returns the command.
func New(c *cli.Context) *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "leave NAME [--from-context CONTEXT]",
		Short: "Undo what join made for a cluster, here and there, or import",
		Long: `Undo what join made for a cluster, here and there, or import.

Here is the cluster of the current context. A cluster that was joined by --contexts leaves
each of the others by itself: "--context" chooses which.

Exit codes: 0 good, 1 something stays in the other cluster (--force), 2 failed, 3 wrong usage.`,
		Example: `  kubectl clusterset leave cluster2 --from-context east

  # The other cluster is gone; what would have to be removed there is listed
  kubectl clusterset leave cluster2 --force

  # What would be removed, a line each
  kubectl clusterset leave cluster2 --dry-run=client`,
		Args: cli.Args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			l := &leaver{Context: c, options: o, name: args[0]}
			return l.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&o.fromContext, "from-context", "", "Context of the cluster that leaves; by default the one of its name")
	cmd.Flags().BoolVar(&o.force, "force", false, "Leave what is in the other cluster there, where it can't be reached")
	cmd.Flags().StringVar(&o.configMap, "configmap", "", "The ClusterSet's NAMESPACE/NAME; by default that of the install found")
	o.dryRun.AddFlag(cmd)
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

// errWrongContext is that of a context that can't be meant: nothing says that its cluster is gone.
var errWrongContext = errors.New("nothing is changed")

// connect finds what join made here; the Secret is nil where it made no credential.
func (l *leaver) connect(ctx context.Context) (secret *v1.Secret, err error) {
	if l.here, err = objects.Connect(ctx, l.Context, ""); err != nil {
		return nil, err
	}
	if l.local, _, err = l.here.FindLocal(ctx, l.configMap); err != nil {
		return nil, err
	}
	set, err := l.here.ReadClusterSet(ctx, l.local)
	if err != nil {
		return nil, err
	}
	if err := set.CanLeave(l.name); err != nil {
		return nil, fmt.Errorf("ConfigMap %s/%s in %s: %w", l.local.Namespace, l.local.ConfigMap, l.here, err)
	}
	return l.here.GetSecret(ctx, l.local, l.name)
}

// run removes the entry first, for CoreDNS to stop using the rest, and the Secret last of
// what is the member's: it tells whose it is, to who runs this again.
func (l *leaver) run(ctx context.Context) error {
	secret, err := l.connect(ctx)
	if err != nil {
		return err
	}
	there, unreached := l.there(ctx, secret)
	switch {
	case errors.Is(unreached, errWrongContext):
		return unreached
	case unreached != nil && !l.force:
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
	if l.dryRun.On() {
		return nil
	}
	_, err = fmt.Fprintf(l.Out, "%s: has left %s\n", l.name, l.here)
	return err
}

func (l *leaver) stays() string {
	return "  " + strings.Join(objects.Undo(l.local.Use(l.name)), "\n  ")
}

// there returns the member that leaves, nil where join made nothing there, or an error where
// it can't be reached. Its context may be gone with it: then --force does without.
func (l *leaver) there(ctx context.Context, secret *v1.Secret) (*objects.Cluster, error) {
	if secret == nil && l.fromContext == "" {
		return nil, nil
	}
	there, err := objects.Connect(ctx, l.Context, cmp.Or(l.fromContext, l.name))
	isMissing := errors.As(err, new(*cli.NoContextError))
	switch {
	case isMissing && l.fromContext != "":
		return nil, fmt.Errorf("--from-context: %w; %w", err, errWrongContext)
	case isMissing && !l.force:
		return nil, fmt.Errorf("%s joined, and --from-context must name its context, as none has its name: %w; %w", l.name, err, errWrongContext)
	case err != nil:
		return nil, fmt.Errorf("%s can't be reached: %w", l.name, err)
	case secret != nil && objects.MemberUID(secret) != there.UID:
		return nil, l.another(there, objects.MemberUID(secret))
	}
	return there, nil
}

// another is the error of a context whose cluster isn't the one that joined: a wrong one,
// unless that was rebuilt.
func (l *leaver) another(there *objects.Cluster, was string) error {
	err := fmt.Errorf("%s is another cluster than %s was when it joined (the uid of its kube-system is %s, and was %s)", there, l.name, there.UID, was)
	if l.force {
		return err
	}
	return fmt.Errorf("%w: --from-context must name that one's; if it was rebuilt, and is no more, --force undoes this side; %w", err, errWrongContext)
}

func (l *leaver) undo(ctx context.Context, there *objects.Cluster) error {
	here := l.side(l.here)
	defer here.tell()
	outcome, err := l.here.RemoveEntry(ctx, l.local, l.name, l.dryRun)
	if err != nil {
		return err
	}
	here.took("entry", fmt.Sprintf("ConfigMap %s/%s, key %s", l.local.Namespace, l.local.ConfigMap, objects.EntryKey(l.name)), outcome)
	if there != nil {
		if err := l.undoThere(ctx, there); err != nil {
			return err
		}
	}
	others, err := l.here.OtherSecrets(ctx, l.local, l.name)
	if err != nil {
		return err
	}
	var renewal []*unstructured.Unstructured
	if !others {
		renewal = l.local.Renewal()
	}
	// A binding goes before its role, an account after its rights.
	rights := l.local.Rights(l.name)
	slices.Reverse(rights)
	slices.Reverse(renewal)
	if err := errors.Join(here.remove(ctx, "credential", rights), here.remove(ctx, "renewal", renewal)); err != nil {
		return err // the Secret stays: it tells whose the rest is
	}
	return here.remove(ctx, "credential", []*unstructured.Unstructured{l.local.Secret(l.name, "", 0, nil)})
}

// undoThere removes the reader, unless another cluster uses it.
func (l *leaver) undoThere(ctx context.Context, there *objects.Cluster) error {
	s := l.side(there)
	defer s.tell()
	outcome, others, err := there.LeaveReader(ctx, l.local.Use(l.name), l.dryRun)
	if err != nil {
		return err
	}
	all := objects.MemberObjects()
	s.took("mark of "+l.name, "the mark of "+l.name+" on "+objects.Describe(all[0]), outcome)
	slices.Reverse(all)
	if len(others) > 0 {
		l.Progress("%s: reader kept: used by %s", there, strings.Join(others, ", "))
		return nil
	}
	return s.remove(ctx, "reader", all)
}
