package inventory

import (
	"context"
	"errors"
	"fmt"
	"io"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/objects"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
)

// printer makes objects of clusters.
type printer struct {
	local       objects.Local
	kubeconfigs bool

	entries map[string]string // by their keys
	secrets []runtime.Object
	// withKubeconfig is how many of them there are.
	withKubeconfig int
	// notes are what was left out and why, and what is to be looked at.
	notes []string
}

// noteBytes is how much of an inventory's words there is in a note, and of an API's.
const noteBytes = 800

// note keeps a sentence about a cluster. Its words may be anybody's.
func (p *printer) note(c *cluster, format string, args ...any) {
	p.notes = append(p.notes, quoted.Line(c.name, 100)+" ("+quoted.Line(c.origin, 300)+"): "+
		quoted.Ends(fmt.Sprintf(format, args...), noteBytes))
}

// addAll makes the entries of clusters, and their Secrets.
func (p *printer) addAll(ctx context.Context, all []*cluster) {
	asked := make([]answer, len(all))
	if p.kubeconfigs {
		asked = askAll(ctx, all)
	}
	for i, c := range all {
		p.add(c, asked[i])
	}
	if len(p.entries) == 0 {
		return
	}
	for _, f := range document.Parse(p.entries).Findings { // what they are together
		p.notes = append(p.notes, f.String())
	}
}

// add makes a cluster's entry, and its Secret, unless the server would refuse them.
func (p *printer) add(c *cluster, a answer) {
	for _, note := range a.notes {
		p.note(c, "%s", note)
	}
	entry := a.complete(c)
	if len(entry.ServiceCIDRs) == 0 {
		p.note(c, "left out: its service CIDRs aren't known; %s", p.advice(c))
		return
	}
	if a.usable {
		entry.Kubeconfig = &document.Kubeconfig{Secret: p.local.Namespace + "/" + objects.SecretName(c.name)}
	}
	key := objects.EntryKey(c.name)
	text, err := objects.ImportedEntry(entry)
	if err == nil {
		err = document.Parse(map[string]string{key: text}).Err()
	}
	if err == nil && p.entries[key] != "" {
		err = errors.New("another of that name is there")
	}
	if err != nil {
		p.note(c, "left out: %s", err)
		return
	}
	if p.entries == nil {
		p.entries = make(map[string]string)
	}
	p.entries[key] = text
	if a.usable {
		p.addSecret(c)
	}
}

// advice is what to do about a cluster whose ranges aren't known.
func (p *printer) advice(c *cluster) string {
	if c.refused == "" && !p.kubeconfigs {
		return "--kubeconfigs asks its API"
	}
	return fmt.Sprintf("`kubectl clusterset join %s --from-context CONTEXT` asks its API", c.name)
}

// addSecret adds the kubeconfig, and who may read it.
func (p *printer) addSecret(c *cluster) {
	p.withKubeconfig++
	p.secrets = append(p.secrets, &v1.Secret{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{
			Name: objects.SecretName(c.name), Namespace: p.local.Namespace,
			Labels: map[string]string{objects.ManagedByLabel: objects.ManagedBy}, // leave removes it
		},
		Type: v1.SecretTypeOpaque,
		Data: map[string][]byte{objects.SecretKey: c.kubeconfig},
	})
	for _, o := range p.local.Reads(c.name) {
		p.secrets = append(p.secrets, o)
	}
}

// print writes all as one list, the Secrets first: CoreDNS finds them when it reads of the
// members.
func (p *printer) print(w io.Writer, output *cli.Output, found int) error {
	if output.Format == cli.Short {
		_, err := fmt.Fprintf(w, "%d of %d clusters, %d with a kubeconfig\n", len(p.entries), found, p.withKubeconfig)
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
