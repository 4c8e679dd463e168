package inventory

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/credential"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/facts"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
)

// Bounds of asking the clusters' APIs: many at once, so that some which don't answer leave
// time for the others.
const (
	askTime     = 15 * time.Second
	askedAtOnce = 20
)

// answer is what is known of a cluster by its kubeconfig.
type answer struct {
	// usable reports whether CoreDNS can use the kubeconfig.
	usable bool
	// facts are what its API says, nil where it wasn't asked or didn't answer.
	facts *facts.Facts
	notes []string
}

// askAll judges the clusters' kubeconfigs, and asks their APIs.
func askAll(ctx context.Context, all []*cluster) []answer {
	answers := make([]answer, len(all))
	var asking errgroup.Group
	asking.SetLimit(askedAtOnce)
	for i, c := range all {
		asking.Go(func() error {
			answers[i].ask(ctx, c)
			return nil
		})
	}
	_ = asking.Wait() // an answer has its own error
	return answers
}

func (a *answer) note(format string, args ...any) {
	a.notes = append(a.notes, fmt.Sprintf(format, args...))
}

func (a *answer) ask(ctx context.Context, c *cluster) {
	if c.refused != "" || len(c.kubeconfig) == 0 {
		a.note("without a kubeconfig: %s", cmp.Or(c.refused, "the inventory has none"))
		return
	}
	config, err := credential.Parse(c.kubeconfig)
	if err != nil {
		a.note("without a kubeconfig: refused: %s", err)
		return
	}
	if config.Insecure {
		a.note("its kubeconfig says insecure-skip-tls-verify: whoever is between can answer as its API")
	}
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		a.note("without a kubeconfig: %s", err)
		return
	}
	a.usable = true
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	a.facts, err = facts.Read(ctx, kube, facts.Known{ServiceCIDRs: c.serviceCIDRs, PodCIDRs: len(c.podCIDRs) > 0})
	if err != nil {
		a.note("its API didn't say its ranges and its DNS: %s", err)
	}
}

// complete returns the cluster's entry.
func (a *answer) complete(c *cluster) *document.Cluster {
	entry := &document.Cluster{Name: c.name, ServiceCIDRs: c.serviceCIDRs, PodCIDRs: c.podCIDRs, ClusterDomain: c.domain}
	if a.facts == nil {
		return entry
	}
	entry.ServiceCIDRs, entry.DNS = a.facts.ServiceCIDRs, a.facts.DNS
	entry.ClusterDomain = cmp.Or(entry.ClusterDomain, a.facts.ClusterDomain)
	if len(entry.PodCIDRs) == 0 && a.facts.PodCIDRsKnown {
		entry.PodCIDRs = a.facts.PodCIDRs
	}
	return entry
}
