//go:build e2e

package join

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/yaml"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
)

// TestDryRun: a dry run changes nothing; what it prints, applied, is what join makes, but for
// the credential.
func TestDryRun(t *testing.T) {
	w := start(t, 2)
	before := w.settle(t)
	w.want(t, cli.Good, append(joinTwo, "--dry-run=server")...)
	out, _ := w.want(t, cli.Good, append(joinTwo, "--dry-run=client", "-o", "yaml")...)
	w.wantSame(t, "dry runs", before)
	if strings.Contains(out, "kind: Secret") || strings.Contains(out, "token:") {
		t.Errorf("a credential in\n%s", out)
	}
	context := ""
	for text := range strings.SplitSeq(strings.TrimPrefix(out, "---\n"), "---\n") {
		if line, is := strings.CutPrefix(text, "# In context "); is {
			context, _, _ = strings.Cut(line, ":")
		}
		o := &unstructured.Unstructured{}
		must(t, yaml.Unmarshal([]byte(text), &o.Object))
		w.by[context].apply(t, o)
	}
	_, errOut := w.want(t, cli.Good, joinTwo...)
	if want := "cluster2 in context cluster1: credential created; reader, renewal, entry unchanged\n"; errOut != want {
		t.Errorf("after the dry run's objects: have %q, want %q", errOut, want)
	}
	w.by["cluster1"].wantReads(t, "cluster2")
	w.want(t, cli.Good, "leave", "cluster2")
	w.wantSame(t, "left", before)
}

// apply does what "kubectl apply --server-side" does.
func (c *cluster) apply(t *testing.T, o *unstructured.Unstructured) {
	t.Helper()
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(c.kube.Discovery()))
	mapping, err := mapper.RESTMapping(o.GroupVersionKind().GroupKind(), o.GroupVersionKind().Version)
	must(t, err)
	options := metav1.ApplyOptions{FieldManager: "kubectl"}
	if o.GetNamespace() == "" {
		_, err = c.dynamic.Resource(mapping.Resource).Apply(t.Context(), o.GetName(), o, options)
	} else {
		_, err = c.dynamic.Resource(mapping.Resource).Namespace(o.GetNamespace()).Apply(t.Context(), o.GetName(), o, options)
	}
	must(t, err)
}
