package inventory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/objects"
)

// sources are the inventories, by the words of --from.
var sources = map[string]func(context.Context, *reader) ([]*cluster, error){
	"capi": capi, "clusterprofile": clusterProfiles, "istio": istio, "argocd": argoCD, "submariner": submariner,
}

// command is the verb with its flags.
type command struct {
	*cli.Context
	from        string
	kubeconfigs bool
	configMap   string
	output      *cli.Output
}

// timeout bounds the whole.
const timeout = 2 * time.Minute

// New returns the verb.
func New(c *cli.Context) *cobra.Command {
	v := &command{Context: c, output: cli.NewOutput(cli.YAML, cli.JSON, cli.Short)}
	names := strings.Join(slices.Sorted(maps.Keys(sources)), "|")
	cmd := &cobra.Command{
		Use:   "import --from " + names,
		Short: "Make the ClusterSet's entries of an inventory that is there",
		Long: `Make the ClusterSet's entries of an inventory that is there.

It reads the inventory in the current cluster, and prints a ConfigMap with a key for each
cluster; nothing is changed. With --kubeconfigs it prints a Secret for each kubeconfig in the
inventory too, with the right for CoreDNS to read it, and asks those clusters' APIs for what
the inventory doesn't say. A kubeconfig that runs a command, reads a file or needs a cloud's
login is refused by name; "kubectl clusterset join" makes one with the least rights instead.

Exit codes: 0 good, 1 a cluster was left out, or something is to be looked at, 2 failed,
3 wrong usage.`,
		Example: `  kubectl clusterset import --from capi | kubectl apply --server-side -f -
  kubectl clusterset import --from argocd --kubeconfigs > clusterset.yaml`,
		Args: cli.Args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return v.run(cmd.Context()) },
	}
	cmd.Flags().StringVar(&v.from, "from", "", "The inventory: "+names)
	cmd.Flags().BoolVar(&v.kubeconfigs, "kubeconfigs", false, "Print the kubeconfigs in it too, as Secrets: they are credentials")
	cmd.Flags().StringVar(&v.configMap, "configmap", "", "The ClusterSet's NAMESPACE/NAME; by default that of the install found")
	_ = cmd.RegisterFlagCompletionFunc("from", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return strings.Split(names, "|"), cobra.ShellCompDirectiveNoFileComp
	}) // an error means that it is registered
	v.output.AddFlag(cmd)
	return cmd
}

func (v *command) run(ctx context.Context) error {
	source := sources[v.from]
	if source == nil {
		return cli.Usage("--from %q: must be one of %s", v.from, strings.Join(slices.Sorted(maps.Keys(sources)), ", "))
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	here, err := objects.Connect(ctx, v.Context, "")
	if err != nil {
		return err
	}
	local, note, err := here.FindLocal(ctx, v.configMap)
	if err != nil {
		return err
	}
	found, err := v.read(ctx, here, source)
	if err != nil {
		return fmt.Errorf("%s: %w", here, err)
	}
	p := &printer{local: local, kubeconfigs: v.kubeconfigs}
	if note != "" {
		p.notes = append(p.notes, note)
	}
	p.addAll(ctx, found)
	for _, note := range p.notes {
		v.Progress("warning: %s", note)
	}
	if len(p.entries) == 0 {
		return errors.New("no cluster of the inventory can be an entry")
	}
	if err := p.print(v.Out, v.output, len(found)); err != nil {
		return err
	}
	if len(p.notes) > 0 {
		return cli.Exit(cli.Degraded)
	}
	return nil
}

func (v *command) read(ctx context.Context, here *objects.Cluster, source func(context.Context, *reader) ([]*cluster, error)) ([]*cluster, error) {
	r, err := newReader(here, v.kubeconfigs)
	if err != nil {
		return nil, err
	}
	found, err := source(ctx, r)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("its inventory of --from %s is empty: is it this context that has it?", v.from)
	}
	slices.SortStableFunc(found, func(a, b *cluster) int { return strings.Compare(a.name, b.name) })
	return found, nil
}
