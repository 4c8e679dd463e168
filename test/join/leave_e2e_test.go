//go:build e2e

package join

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
)

// TestLeaveDryRun: a dry run of leave says of each object what leave would do, in both
// clusters, and does nothing.
func TestLeaveDryRun(t *testing.T) {
	w := start(t, 2)
	before := w.settle(t)
	w.want(t, cli.Good, joinTwo...)
	joined := w.settle(t)
	for _, dryRun := range []string{"client", "server"} {
		out, errOut := w.want(t, cli.Good, "leave", "cluster2", "--dry-run="+dryRun)
		if errOut != "" || strings.Contains(out, "has left") {
			t.Errorf("%s: have %s%s", dryRun, out, errOut)
		}
		end := ": removed (" + dryRun + " dry run)\n"
		for _, object := range []string{
			"ConfigMap kube-system/clusterset, key cluster2.yaml in context cluster1", "Secret kube-system/cluster2-kubeconfig in context cluster1",
			"CronJob kube-system/clusterset-renew in context cluster1", "the mark of cluster2 on ServiceAccount kube-system/clusterset-reader in context cluster2",
			"ServiceAccount kube-system/clusterset-reader in context cluster2", "ClusterRole clusterset-reader in context cluster2",
		} {
			if !slices.Contains(slices.Collect(strings.Lines(out)), object+end) {
				t.Errorf("%s: no line %q in\n%s", dryRun, object+end, out)
			}
		}
		// All that join made, the ServiceAccount's mark and the ConfigMap's key.
		if have, want := strings.Count(out, end), len(joined["cluster1"])-len(before["cluster1"])+len(joined["cluster2"])-len(before["cluster2"])+1; have != want {
			t.Errorf("%s: %d lines, want %d:\n%s", dryRun, have, want, out)
		}
		w.wantSame(t, dryRun+" dry run", joined)
	}
	_, errOut := w.want(t, cli.WrongUsage, "leave", "cluster2", "--dry-run=maybe")
	if !strings.Contains(errOut, "none, client or server") {
		t.Errorf("have %s", errOut)
	}
	w.want(t, cli.Good, "leave", "cluster2")
	w.wantSame(t, "left", before)
}

// TestLeaveWrongContext: who names a wrong context is told that, and not that --force would do.
func TestLeaveWrongContext(t *testing.T) {
	w := start(t, 3)
	before := w.settle(t)
	w.want(t, cli.Good, "join", "two", "--from-context", "cluster2", "--allow-loopback")
	joined := w.settle(t)
	for _, c := range []struct{ args, says string }{
		{"leave two", "two joined, and --from-context must name its context"},
		{"leave two --from-context nowhere", `--from-context: context "nowhere": not in the kubeconfig`},
		{"leave two --from-context nowhere --force", `--from-context: context "nowhere": not in the kubeconfig`},
		{"leave two --context nowhere", `"nowhere"`},
		{"leave two --from-context cluster3", "context cluster3 is another cluster than two was when it joined"},
	} {
		_, errOut := w.want(t, cli.Failed, strings.Fields(c.args)...)
		if !strings.Contains(errOut, c.says) || strings.Contains(errOut, "With --force") {
			t.Errorf("%s: have %s, want %q and no --force", c.args, errOut, c.says)
		}
	}
	w.wantSame(t, "refused", joined)
	// Its context may be gone with the cluster.
	_, errOut := w.want(t, cli.Degraded, "leave", "two", "--force")
	if !strings.Contains(errOut, "There stay:") {
		t.Errorf("have %s", errOut)
	}
	w.by["cluster1"].wantSame(t, "forced", before["cluster1"])
	w.want(t, cli.Good, "leave", "two", "--from-context", "cluster2")
	w.wantSame(t, "left", before)
}

// TestLeaveImported: what import printed, and somebody applied, is removed by leave; but a
// ConfigMap that join didn't make stays. join doesn't write over it.
func TestLeaveImported(t *testing.T) {
	w := start(t, 2)
	here := w.by["cluster1"]
	kubeconfig, err := os.ReadFile(w.clusters.Kubeconfig("cluster2"))
	must(t, err)
	here.secret(t, "istio-remote", "Opaque", map[string]string{"istio/multiCluster": "true"}, map[string]string{"mesh-a": string(kubeconfig)})
	_, err = here.kube.CoreV1().ConfigMaps(system).Create(t.Context(), &v1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "clusterset"}, Data: map[string]string{"note": "mine"},
	}, metav1.CreateOptions{})
	must(t, err)
	before := w.settle(t)
	out, _ := w.want(t, cli.Good, "import", "--from", "istio", "--kubeconfigs", "-o", "json")
	var list struct{ Items []unstructured.Unstructured }
	must(t, json.Unmarshal([]byte(out), &list))
	for i := range list.Items {
		here.apply(t, &list.Items[i])
	}
	imported := w.settle(t)
	_, errOut := w.want(t, cli.Failed, "join", "mesh-a", "--from-context", "cluster2", "--allow-loopback")
	if !strings.Contains(errOut, "key mesh-a.yaml was made by import; `kubectl clusterset leave mesh-a` removes it") {
		t.Errorf("joined: have %s", errOut)
	}
	_, errOut = w.want(t, cli.Failed, "renew", "mesh-a")
	if !strings.Contains(errOut, "that join made") {
		t.Errorf("renewed: have %s", errOut)
	}
	w.wantSame(t, "refused", imported)
	_, errOut = w.want(t, cli.Good, "leave", "mesh-a")
	if want := "context cluster1: entry, credential removed\n"; errOut != want {
		t.Errorf("have %q, want %q", errOut, want)
	}
	w.wantSame(t, "left", before)
	if diff := cmp.Diff(map[string]string{"note": "mine"}, here.configMap(t, "clusterset").Data); diff != "" {
		t.Error(diff)
	}
	_, err = here.kube.CoreV1().Secrets("default").Get(t.Context(), "istio-remote", metav1.GetOptions{})
	must(t, err)
}
