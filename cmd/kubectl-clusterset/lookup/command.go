package lookup

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/replicas"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// command is the verb with its flags.
type command struct {
	*cli.Context
	output *cli.Output
	flags  replicas.Flags
	client string
	from   string
	all    bool
}

// New returns the verb.
func New(c *cli.Context) *cobra.Command {
	v := &command{Context: c, output: cli.NewOutput(cli.Table, cli.JSON, cli.YAML, cli.Short)}
	cmd := &cobra.Command{
		Use:   "lookup NAME [TYPE]",
		Short: "Show what a name is answered with, and how that was found",
		Long: `Show what a name is answered with, and how that was found, step by step.

The running server is asked, so that it says what clients get now. TYPE is A by default; an
address for NAME is looked up as its PTR. Who asks can change the answer to a name over all
clusters: --client and --from say whose answer to show.

Exit codes: 0 an answer, 1 none (no such name, no such record) or one that is stale or
differs between replicas, 2 failed, 3 wrong usage.`,
		Example: `  kubectl clusterset lookup web.shop.cluster2.lan
  kubectl clusterset lookup web.shop.svc.clusterset.local --from shop/frontend-0
  kubectl clusterset lookup _http._tcp.web.shop.cluster2.lan SRV --all-replicas
  kubectl clusterset lookup 10.102.0.20`,
		Args: cli.Args(cobra.RangeArgs(1, 2)),
		RunE: func(cmd *cobra.Command, args []string) error { return v.run(cmd.Context(), args) },
	}
	v.output.AddFlag(cmd)
	v.flags.AddTo(cmd.Flags())
	cmd.Flags().StringVar(&v.client, "client", "", "Address of the client that asks; the server's own by default")
	cmd.Flags().StringVar(&v.from, "from", "", "Pod that asks, as [NAMESPACE/]POD")
	cmd.Flags().BoolVar(&v.all, "all-replicas", false, "Ask every replica, not the first that answers")
	return cmd
}

// timeout bounds the whole, a look-up of 2 s by several replicas included.
const timeout = 30 * time.Second

func (v *command) run(ctx context.Context, args []string) error {
	q, err := v.question(args)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	t, err := v.flags.Find(ctx, v.Context)
	if err != nil {
		return err
	}
	if q.Client, err = v.clientAddress(ctx, t); err != nil {
		return err
	}
	answers, err := v.ask(ctx, t, q)
	if err != nil {
		return err
	}
	r := newReport(answers)
	if err := r.print(v.Context, v.output); err != nil {
		return err
	}
	return cli.Exit(r.exitCode())
}

// question is what the arguments ask for. That of an address is its PTR, as dig -x has it.
func (v *command) question(args []string) (replicas.Question, error) {
	q := replicas.Question{Name: dns.Fqdn(args[0]), Type: "A"}
	if reverse, err := dns.ReverseAddr(args[0]); err == nil {
		q.Name, q.Type = reverse, "PTR"
	}
	if len(args) > 1 {
		q.Type = strings.ToUpper(args[1])
	}
	if _, known := dns.StringToType[q.Type]; !known {
		return q, cli.Usage("%q: not a type of DNS records", args[1])
	}
	if _, valid := dns.IsDomainName(q.Name); !valid {
		return q, cli.Usage("%q: not a name", args[0])
	}
	if v.client != "" && v.from != "" {
		return q, cli.Usage("--client and --from exclude each other")
	}
	if v.client != "" {
		if _, err := netip.ParseAddr(v.client); err != nil {
			return q, cli.Usage("--client %q: not an address", v.client)
		}
	}
	return q, nil
}

// clientAddress is who asks.
func (v *command) clientAddress(ctx context.Context, t *replicas.Target) (string, error) {
	if v.from == "" {
		return v.client, nil
	}
	if t.Client == nil {
		return "", cli.Usage("--from needs a cluster; with --server, say --client")
	}
	namespace, name, found := strings.Cut(v.from, "/")
	if !found {
		name = namespace
		var err error
		if namespace, _, err = v.Flags.ToRawKubeConfigLoader().Namespace(); err != nil {
			return "", err
		}
	}
	pod, err := t.Client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return "", fmt.Errorf("--from %s/%s: %w", namespace, name, err)
	}
	if pod.Status.PodIP == "" {
		return "", fmt.Errorf("--from %s/%s: the pod has no address", namespace, name)
	}
	return pod.Status.PodIP, nil
}

type answer = replicas.Answer[status.Lookup]

// ask asks all replicas, or one after the other until one answers.
func (v *command) ask(ctx context.Context, t *replicas.Target, q replicas.Question) ([]answer, error) {
	ask := func(ctx context.Context, r *replicas.Replica) (*status.Lookup, error) { return r.Lookup(ctx, q) }
	if v.all {
		return refusals(replicas.All(ctx, t.Replicas, ask))
	}
	var failed []answer
	for n := range t.Replicas {
		one, err := refusals(replicas.All(ctx, t.Replicas[n:n+1], ask))
		if err != nil || one[0].Err == nil {
			return one, err
		}
		failed = append(failed, one...)
	}
	if len(failed) == 0 {
		return nil, fmt.Errorf("deployment %s has no pods", t.Install.Name())
	}
	return failed, nil
}
