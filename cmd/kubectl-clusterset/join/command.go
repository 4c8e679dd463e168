// Package join makes a cluster known to the CoreDNS of another: in the member a reader, here
// its kubeconfig, who may read and renew it, and its entry in the ClusterSet. Once more, it
// makes what is missing, and changes nothing else.
package join

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
)

// options are the command line.
type options struct {
	fromContext string
	contexts    []string
	names       []string

	dnsOnly       bool
	dns           []string
	serviceCIDRs  []string
	podCIDRs      []string
	network       string
	region        string
	zone          string
	server        string
	allowLoopback bool

	duration  time.Duration
	configMap string
	image     string
	dryRun    cli.DryRun
	output    *cli.Output
}

// defaultDuration of a token: renewed in its middle, it leaves two weeks to mend what keeps
// it from being renewed.
const defaultDuration = 30 * 24 * time.Hour

const example = `  # The cluster of context east, known here as cluster2
  kubectl clusterset join cluster2 --from-context east

  # Three clusters, each known to each
  kubectl clusterset join --contexts cluster1,cluster2,cluster3

  # By its DNS alone: nothing is made there, and no credential here
  kubectl clusterset join cluster2 --dns-only --service-cidrs 10.102.0.0/16

  # All of it, for GitOps; the kubeconfig is a credential, and is left to the join that follows
  kubectl clusterset join cluster2 --from-context east --dry-run=client -o yaml`

const long = `Make a cluster known to this one, or each of some to each.

In the cluster that joins, a ServiceAccount is made that may read its Services and their
endpoints; here, the Secret with its kubeconfig, the right for CoreDNS to read that, a
CronJob that renews its token, and its entry in the ClusterSet. Once more, what is missing
is made, and nothing else is changed. "kubectl clusterset leave" undoes it.

Exit codes: 0 good, 1 something is to be looked at, 2 failed, 3 wrong usage.`

// New returns the command.
func New(c *cli.Context) *cobra.Command {
	o := &options{output: cli.NewOutput(cli.Table, cli.Short, cli.JSON, cli.YAML)}
	cmd := &cobra.Command{
		Use:     "join (NAME [--from-context CONTEXT] | --contexts CONTEXT,CONTEXT...)",
		Short:   "Make a cluster known to this one, or each of some to each",
		Long:    long,
		Example: example,
		Args:    cli.Args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd, args); err != nil {
				return err
			}
			return run(cmd.Context(), c, o, args)
		},
	}
	o.addFlags(cmd)
	for _, name := range []string{"from-context", "contexts"} {
		_ = cmd.RegisterFlagCompletionFunc(name, c.CompleteContexts) // an error means that it is registered
	}
	return cmd
}

func (o *options) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.fromContext, "from-context", "", "Context of the cluster that joins")
	f.StringSliceVar(&o.contexts, "contexts", nil, "Contexts of clusters to join, each to each")
	f.StringSliceVar(&o.names, "names", nil, "Their names, in the same order; by default the contexts'")
	f.BoolVar(&o.dnsOnly, "dns-only", false, "Ask its DNS alone: no credential is made")
	f.StringSliceVar(&o.dns, "dns", nil, "Addresses of its DNS; by default those of its DNS service")
	f.StringSliceVar(&o.serviceCIDRs, "service-cidrs", nil, "Its service CIDRs; by default what its API says")
	f.StringSliceVar(&o.podCIDRs, "pod-cidrs", nil, "Its pod CIDRs; by default what kubeadm or its nodes say")
	f.StringVar(&o.network, "network", "", "Its network: members of one reach each other's services")
	f.StringVar(&o.region, "region", "", "Its region")
	f.StringVar(&o.zone, "zone", "", "Its zone")
	f.StringVar(&o.server, "server", "", "URL of its API as this cluster reaches it; by default the context's")
	f.BoolVar(&o.allowLoopback, "allow-loopback", false, "Allow a --server of this machine: CoreDNS runs on it")
	f.DurationVar(&o.duration, "token-duration", defaultDuration, "How long a token lives; it is renewed in the middle of its life")
	f.StringVar(&o.configMap, "configmap", "", "The ClusterSet's NAMESPACE/NAME; by default that of the install found")
	f.StringVar(&o.image, "image", "", "Image with this program, for the CronJob that renews tokens; by default that of the install found")
	o.dryRun.AddFlag(cmd)
	o.output.AddFlag(cmd)
}

// leastDuration is the API's own bound.
const leastDuration = 10 * time.Minute

// check finds what of the command line doesn't go together.
func (o *options) check(cmd *cobra.Command, args []string) error {
	if o.duration < leastDuration {
		return cli.Usage("--token-duration %s: must be at least %s", o.duration, leastDuration)
	}
	if len(o.contexts) > 0 {
		return o.checkMany(cmd, args)
	}
	switch {
	case len(args) == 0:
		return cli.Usage("NAME or --contexts is missing")
	case len(o.names) > 0:
		return cli.Usage("--names goes with --contexts")
	case o.fromContext == "" && !o.dnsOnly:
		return cli.Usage("--from-context is missing: the context of %s; or --dns-only", args[0])
	case o.fromContext == "" && len(o.serviceCIDRs) == 0:
		return cli.Usage("--service-cidrs is missing: without --from-context nobody tells them")
	}
	return nil
}

// checkMany is for --contexts, where a flag about one member can't be meant for all.
func (o *options) checkMany(cmd *cobra.Command, args []string) error {
	if len(args) > 0 || o.fromContext != "" {
		return cli.Usage("--contexts: goes without NAME and --from-context; --names has the names")
	}
	if len(o.contexts) < 2 {
		return cli.Usage("--contexts: at least two")
	}
	if len(o.names) == 0 {
		o.names = o.contexts
	}
	if len(o.names) != len(o.contexts) {
		return cli.Usage("--names: %d for %d contexts", len(o.names), len(o.contexts))
	}
	for _, name := range []string{"dns", "service-cidrs", "pod-cidrs", "region", "zone", "server"} {
		if cmd.Flags().Changed(name) {
			return cli.Usage("--%s: is of one member; join that one by itself, `join NAME --from-context CONTEXT`", name)
		}
	}
	return nil
}
