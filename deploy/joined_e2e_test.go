//go:build e2e

package deploy

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/coredns-clusterset/clusterset/test/apiserver"
)

// wantJoin joins the cluster "member" to one that has clusterset as it is installed here,
// with the command line's own program: it finds the install, CoreDNS may read the one Secret
// more and nothing else, and the namespace takes what renews it.
func (c *cluster) wantJoin(t *testing.T, clusters *apiserver.Clusters, name, namespace, account string, granted []grant) {
	t.Helper()
	if err := c.client.CoreV1().ConfigMaps(namespace).Delete(t.Context(), "clusterset", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err) // there is none after an installation
	}
	out, err := runJoin(t, clusters, name, "join", "east", "--from-context", "member", "--dns", "10.101.0.10", "--pod-cidrs", "10.51.0.0/16", "--allow-loopback")
	if err != nil {
		t.Fatalf("join: %v\n%s", err, out)
	}
	if document := c.configMap(t, namespace, "clusterset").Data["east.yaml"]; !strings.Contains(document, "secret: "+namespace+"/east-kubeconfig") {
		t.Errorf("the document's entry: have\n%s", document)
	}
	secret := grant{"", "secrets", "east-kubeconfig", namespace, "get list watch"}
	c.wantOnly(t, namespace, account, append(slices.Clone(granted), secret))
	c.wantOnly(t, namespace, "clusterset-renew", []grant{
		{"", "configmaps", "clusterset", namespace, "get"},
		{"", "secrets", "east-kubeconfig", namespace, "get update"},
	})
	renewal, err := c.client.BatchV1().CronJobs(namespace).Get(t.Context(), "clusterset-renew", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	template := renewal.Spec.JobTemplate.Spec.Template
	if image := template.Spec.Containers[0].Image; image != "registry.example/clusterset-coredns:dev" {
		t.Errorf("what renews has the image %s", image)
	}
	pod := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "renew", Namespace: namespace, Labels: template.Labels}, Spec: template.Spec}
	if _, err := c.client.CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}); err != nil {
		t.Errorf("the namespace doesn't take what renews: %v", err)
	}
	if out, err := runJoin(t, clusters, name, "leave", "east", "--from-context", "member"); err != nil {
		t.Errorf("leave: %v\n%s", err, out)
	}
}

// runJoin runs a verb in the cluster of that name, with the member's context at hand.
func runJoin(t *testing.T, clusters *apiserver.Clusters, name string, args ...string) (string, error) {
	t.Helper()
	both := api.NewConfig()
	for _, context := range []string{name, "member"} {
		one, err := clientcmd.LoadFromFile(clusters.Kubeconfig(context))
		if err != nil {
			t.Fatal(err)
		}
		of := one.Contexts[one.CurrentContext]
		both.Clusters[context], both.AuthInfos[context] = one.Clusters[of.Cluster], one.AuthInfos[of.AuthInfo]
		both.Contexts[context] = &api.Context{Cluster: context, AuthInfo: context}
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*both, path); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("../bin/kubectl-clusterset", append(args, "--kubeconfig", path, "--context", name)...).CombinedOutput()
	return string(out), err
}
