package replicas

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/spf13/pflag"
	"k8s.io/client-go/kubernetes"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/install"
)

// Flags say which servers to ask.
type Flags struct {
	Where install.Where
	// Servers are status servers outside Kubernetes, HOST:PORT each.
	Servers []string
}

// AddTo adds the flags.
func (f *Flags) AddTo(flags *pflag.FlagSet) {
	f.Where.AddFlag(flags)
	flags.StringSliceVar(&f.Servers, "server", nil, "HOST:PORT of a status server, for one outside Kubernetes; may be given more than once")
}

// Target is whom a verb asks.
type Target struct {
	// Install and Stanza are nil, and Client is, for servers outside Kubernetes.
	Install  *install.Install
	Stanza   *install.Stanza
	Client   kubernetes.Interface
	Replicas []*Replica
}

// Find returns whom the flags mean: the servers they name, or the CoreDNS with clusterset of
// the cluster.
func (f *Flags) Find(ctx context.Context, c *cli.Context) (*Target, error) {
	if len(f.Servers) > 0 {
		all, err := AtAddresses(f.Servers)
		if err != nil {
			return nil, cli.Usage("--server: %w", err)
		}
		return &Target{Replicas: all}, nil
	}
	config, err := c.RESTConfig("")
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	found, err := install.Find(ctx, client, f.Where)
	if err != nil {
		return nil, err
	}
	t := &Target{Install: found, Client: client}
	var port int
	if t.Stanza, port, err = statusPort(found); err != nil {
		return nil, err
	}
	t.Replicas = OfPods(config, found.Pods, port)
	return t, nil
}

// statusPort returns the first stanza that serves its status, and where.
func statusPort(i *install.Install) (*install.Stanza, int, error) {
	for _, s := range i.Stanzas() {
		if s.Status == "" {
			continue
		}
		_, text, err := net.SplitHostPort(s.Status)
		if err != nil {
			return nil, 0, err
		}
		port, err := strconv.ParseUint(text, 10, 16)
		if err != nil || port == 0 {
			return nil, 0, fmt.Errorf("the Corefile (ConfigMap %s): status %q: not a port", i.Corefile, s.Status)
		}
		return s, int(port), nil
	}
	return nil, 0, fmt.Errorf("the CoreDNS %s serves no status: add the line \"status\" to clusterset in its Corefile (ConfigMap %s)", i.Name(), i.Corefile)
}
