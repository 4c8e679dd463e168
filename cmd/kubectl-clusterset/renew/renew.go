// Package renew makes new tokens in the kubeconfigs that join made, before the old ones run
// out: each by its own credential, which may make tokens of itself. One that can't be renewed
// stays as it is. A CronJob that join makes runs it.
package renew

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	v1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/credential"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/objects"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/credentials"
)

type options struct {
	all         bool
	fromContext string
	configMap   string
	output      *cli.Output
}

// New returns the command.
func New(c *cli.Context) *cobra.Command {
	o := &options{output: cli.NewOutput(cli.Table, cli.JSON, cli.YAML)}
	cmd := &cobra.Command{
		Use:   "renew (NAME... | --all)",
		Short: "Renew the tokens with which CoreDNS reads other clusters",
		Long: `Renew the tokens with which CoreDNS reads other clusters.

Each is asked for with its own right; with --from-context, with yours. One that can't be
renewed stays as it is.

Exit codes: 0 good, 2 one wasn't renewed, 3 wrong usage.`,
		Example: `  # Those that are past the middle of their lives; what the CronJob does
  kubectl clusterset renew --all

  # One whose token is dead already
  kubectl clusterset renew cluster2 --from-context east`,
		Args: cli.Args(cobra.ArbitraryArgs),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(args); err != nil {
				return err
			}
			r := &renewer{Context: c, options: o}
			return r.run(cmd.Context(), args)
		},
	}
	cmd.Flags().BoolVar(&o.all, "all", false, "Of all members, the tokens that are past the middle of their lives")
	cmd.Flags().StringVar(&o.fromContext, "from-context", "", "Context of the member, to ask it with your own credential")
	cmd.Flags().StringVar(&o.configMap, "configmap", "", "The ClusterSet's NAMESPACE/NAME; by default that of the install found")
	_ = cmd.RegisterFlagCompletionFunc("from-context", c.CompleteContexts) // an error means that it is registered
	o.output.AddFlag(cmd)
	return cmd
}

func (o *options) check(names []string) error {
	switch {
	case o.all == (len(names) > 0):
		return cli.Usage("NAME... or --all; one of them")
	case o.fromContext != "" && len(names) != 1:
		return cli.Usage("--from-context: goes with one NAME")
	}
	return nil
}

// defaultDuration is for a Secret that doesn't say.
const defaultDuration = 24 * time.Hour

// renewer runs the command.
type renewer struct {
	*cli.Context
	*options
	here  *objects.Cluster
	local objects.Local
}

// result is what became of one token.
type result struct {
	Name string `json:"name"`
	// Renewed is false for one that isn't due, and one that failed.
	Renewed bool `json:"renewed"`
	// End is when the token in the Secret runs out.
	End   *time.Time `json:"end,omitempty"`
	Error string     `json:"error,omitempty"`
}

func (r *renewer) run(ctx context.Context, names []string) error {
	if err := r.connect(ctx); err != nil {
		return err
	}
	if r.all {
		set, err := r.here.ReadClusterSet(ctx, r.local)
		if err != nil {
			return err
		}
		if names = set.Members(r.local); len(names) == 0 {
			r.Progress("no member has a kubeconfig that join made")
		}
	}
	results, failed := []result{}, false
	for _, name := range names {
		one := r.renew(ctx, name)
		failed = failed || one.Error != ""
		results = append(results, one)
	}
	if err := r.print(results); err != nil {
		return err
	}
	if failed {
		return cli.Exit(cli.Failed)
	}
	return nil
}

// connect asks for nothing but what the CronJob may.
func (r *renewer) connect(ctx context.Context) (err error) {
	if r.configMap == "" {
		if r.here, err = objects.Connect(ctx, r.Context, ""); err != nil {
			return err
		}
		r.local, _, err = r.here.FindLocal(ctx, "")
		return err
	}
	if r.local.Namespace, r.local.ConfigMap, err = objects.SplitConfigMap(r.configMap); err != nil {
		return err
	}
	r.here, err = objects.ConnectUnasked(r.Context, "")
	return err
}

func (r *renewer) renew(ctx context.Context, name string) result {
	one := result{Name: name}
	secret, err := r.here.GetSecret(ctx, r.local, name)
	if err == nil && secret == nil {
		err = fmt.Errorf("no Secret %s/%s that join made", r.local.Namespace, objects.SecretName(name))
	}
	var config *rest.Config
	if err == nil {
		if config, err = credential.Parse(secret.Data[objects.SecretKey]); err != nil {
			err = fmt.Errorf("the Secret %s/%s: %w", secret.Namespace, secret.Name, err)
		}
	}
	if err != nil {
		one.Error = err.Error()
		return one
	}
	expiry := credentials.ExpiryOf(config)
	if !expiry.End.IsZero() {
		one.End = &expiry.End
	}
	if r.all && !due(expiry) {
		return one
	}
	token, err := r.replace(ctx, name, secret, config)
	if err != nil {
		one.Error = err.Error()
		return one
	}
	one.Renewed, one.End = true, &token.End
	return one
}

// due reports whether a token is past the middle of its life, or doesn't say.
func due(e credentials.Expiry) bool {
	if e.Begin.IsZero() || e.End.IsZero() {
		return true
	}
	return time.Now().After(e.Begin.Add(e.End.Sub(e.Begin) / 2))
}

// replace makes a new token, and writes it once it was seen to work.
func (r *renewer) replace(ctx context.Context, name string, secret *v1.Secret, config *rest.Config) (*credential.Token, error) {
	asked, err := r.asked(ctx, name, secret, config)
	if err != nil {
		return nil, err
	}
	kube, err := kubernetes.NewForConfig(asked)
	if err != nil {
		return nil, err
	}
	token, err := credential.Request(ctx, kube, objects.TokenDuration(secret, defaultDuration))
	if err != nil {
		return nil, err
	}
	if err := credential.Works(ctx, asked, token.Text); err != nil {
		return nil, fmt.Errorf("the new token doesn't work: %w", err)
	}
	text, err := credential.WithToken(secret.Data[objects.SecretKey], token.Text)
	if err != nil {
		return nil, err
	}
	if err := r.here.SetKubeconfig(ctx, secret, text); err != nil {
		return nil, fmt.Errorf("the Secret %s/%s in %s: %w", secret.Namespace, secret.Name, r.here, err)
	}
	return token, nil
}

// asked is how the member is asked: by the Secret's own credential, or the user's.
func (r *renewer) asked(ctx context.Context, name string, secret *v1.Secret, config *rest.Config) (*rest.Config, error) {
	if r.fromContext == "" {
		config.Timeout = 15 * time.Second
		return config, nil
	}
	there, err := objects.Connect(ctx, r.Context, r.fromContext)
	if err != nil {
		return nil, err
	}
	if there.UID != objects.MemberUID(secret) {
		return nil, fmt.Errorf("%s is another cluster than %s was when it joined", there, name)
	}
	return there.Config, nil
}

func (r *renewer) print(results []result) error {
	if r.output.IsData() {
		return r.output.Print(r.Out, results)
	}
	rows := [][]string{{"NAME", "TOKEN", "UNTIL"}}
	for _, one := range results {
		outcome, end := "not due", "unknown"
		if one.End != nil {
			end = one.End.UTC().Format(time.RFC3339)
		}
		switch {
		case one.Error != "":
			outcome = "failed"
			r.Progress("error: %s: isn't renewed, the old token stays: %s", one.Name, one.Error)
		case one.Renewed:
			outcome = "renewed"
		}
		rows = append(rows, []string{one.Name, outcome, end})
	}
	return cli.PrintTable(r.Out, rows)
}
