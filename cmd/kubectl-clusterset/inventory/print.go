package inventory

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/credential"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/facts"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/objects"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
)

// askTime bounds a request to a cluster's API.
const askTime = 15 * time.Second

// printer makes objects of clusters.
type printer struct {
	local       objects.Local
	kubeconfigs bool

	entries map[string]string // by their keys
	secrets []runtime.Object
	count   int
	// notes are what was left out and why, and what is to be looked at.
	notes []string
}

func (p *printer) note(c *cluster, format string, args ...any) {
	p.notes = append(p.notes, fmt.Sprintf("%s (%s): %s", c.name, c.origin, fmt.Sprintf(format, args...)))
}

// add makes a cluster's entry, and its Secret, unless the server would refuse them.
func (p *printer) add(ctx context.Context, c *cluster) {
	entry := &document.Cluster{Name: c.name, ServiceCIDRs: c.serviceCIDRs, PodCIDRs: c.podCIDRs, ClusterDomain: c.domain}
	withKubeconfig := p.kubeconfigs && p.takesKubeconfig(ctx, c, entry)
	if len(entry.ServiceCIDRs) == 0 {
		p.note(c, "left out: its service CIDRs aren't known; %s", p.advice(c))
		return
	}
	if withKubeconfig {
		entry.Kubeconfig = &document.Kubeconfig{Secret: p.local.Namespace + "/" + objects.SecretName(c.name)}
	}
	text, err := objects.Entry(entry)
	if err != nil {
		p.note(c, "left out: %s", err)
		return
	}
	key := objects.EntryKey(c.name)
	if err := document.Parse(map[string]string{key: text}).Err(); err != nil {
		p.note(c, "left out: %s", err)
		return
	}
	if p.entries[key] != "" {
		p.note(c, "left out: another of that name is there")
		return
	}
	if p.entries == nil {
		p.entries = make(map[string]string)
	}
	p.entries[key] = text
	p.count++
	if withKubeconfig {
		p.addSecret(c)
	}
}

// advice is what to do about a cluster whose ranges aren't known.
func (p *printer) advice(c *cluster) string {
	if c.kubeconfig != nil && c.refused == "" && !p.kubeconfigs {
		return "--kubeconfigs asks its API"
	}
	return fmt.Sprintf("`kubectl clusterset join %s --from-context CONTEXT` asks its API", c.name)
}

// takesKubeconfig reports whether CoreDNS can use the cluster's kubeconfig, and completes the
// entry from its API.
func (p *printer) takesKubeconfig(ctx context.Context, c *cluster, entry *document.Cluster) bool {
	if c.refused != "" || len(c.kubeconfig) == 0 {
		p.note(c, "without a kubeconfig: %s", cmp.Or(c.refused, "the inventory has none"))
		return false
	}
	config, err := credential.Parse(c.kubeconfig)
	if err != nil {
		p.note(c, "without a kubeconfig: refused: %s", err)
		return false
	}
	if config.Insecure {
		p.note(c, "its kubeconfig says insecure-skip-tls-verify: whoever is between can answer as its API")
	}
	config.Timeout = askTime
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		p.note(c, "without a kubeconfig: %s", err)
		return false
	}
	read, err := facts.Read(ctx, kube, facts.Known{ServiceCIDRs: entry.ServiceCIDRs, PodCIDRs: len(entry.PodCIDRs) > 0})
	if err != nil {
		p.note(c, "its API wasn't asked for its ranges and its DNS: %s", err)
		return true
	}
	entry.ServiceCIDRs, entry.DNS = read.ServiceCIDRs, read.DNS
	entry.ClusterDomain = cmp.Or(entry.ClusterDomain, read.ClusterDomain)
	if len(entry.PodCIDRs) == 0 && read.PodCIDRsKnown {
		entry.PodCIDRs = read.PodCIDRs
	}
	return true
}

// addSecret adds the kubeconfig, and who may read it.
func (p *printer) addSecret(c *cluster) {
	p.secrets = append(p.secrets, &v1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Name: objects.SecretName(c.name), Namespace: p.local.Namespace},
		Type:       v1.SecretTypeOpaque,
		Data:       map[string][]byte{objects.SecretKey: c.kubeconfig},
	})
	for _, o := range p.local.Reads(c.name) {
		p.secrets = append(p.secrets, o)
	}
}

// print writes all as one list, the Secrets first: CoreDNS finds them when it reads of the
// members.
func (p *printer) print(w io.Writer, output *cli.Output, found int) error {
	if output.Format == cli.Short {
		_, err := fmt.Fprintf(w, "%d of %d clusters, %d with a kubeconfig\n", p.count, found, len(p.secrets)/3)
		return err
	}
	list := &v1.List{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "List"}}
	for _, o := range p.secrets {
		list.Items = append(list.Items, runtime.RawExtension{Object: o})
	}
	list.Items = append(list.Items, runtime.RawExtension{Object: &v1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Name: p.local.ConfigMap, Namespace: p.local.Namespace},
		Data:       p.entries,
	}})
	return output.Print(w, list)
}
