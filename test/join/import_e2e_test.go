//go:build e2e

package join

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/credential"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

// inventories are the objects of each kind that has a definition of its own. The second
// cluster of each is another word for one that can't be an entry.
const inventories = `
apiVersion: cluster.x-k8s.io/v1beta1
kind: Cluster
metadata: {name: capi-a, namespace: default}
spec:
  clusterNetwork: {services: {cidrBlocks: [10.110.0.0/16]}, pods: {cidrBlocks: [10.60.0.0/16]}, serviceDomain: a.example}
---
apiVersion: cluster.x-k8s.io/v1beta1
kind: Cluster
metadata: {name: capi-b, namespace: default}
spec:
  clusterNetwork: {services: {cidrBlocks: [10.111.0.0/33]}}
---
apiVersion: submariner.io/v1
kind: Cluster
metadata: {name: sub-a, namespace: default}
spec: {cluster_id: sub-a, service_cidr: [10.112.0.0/16], cluster_cidr: [10.62.0.0/16]}
---
apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ClusterProfile
metadata: {name: profile-a, namespace: default}
status: {accessProviders: [{name: google}], properties: [{name: cluster.clusterset.k8s.io, value: p1}]}
`

var definitions = []struct{ group, version, kind, plural string }{
	{"cluster.x-k8s.io", "v1beta1", "Cluster", "clusters"},
	{"submariner.io", "v1", "Cluster", "clusters"},
	{"multicluster.x-k8s.io", "v1alpha1", "ClusterProfile", "clusterprofiles"},
}

// define makes the definitions, and the objects.
func (c *cluster) define(t *testing.T) {
	t.Helper()
	for _, d := range definitions {
		harness.Define(t, c.dynamic, schema.GroupResource{Group: d.group, Resource: d.plural}, d.kind, d.version)
	}
	for _, text := range strings.Split(inventories, "---\n") {
		o := &unstructured.Unstructured{}
		must(t, yaml.Unmarshal([]byte(text), &o.Object))
		for _, d := range definitions {
			if o.GetAPIVersion() != d.group+"/"+d.version {
				continue
			}
			resource := schema.GroupVersionResource{Group: d.group, Version: d.version, Resource: d.plural}
			eventually(t, d.kind, func() error {
				_, err := c.dynamic.Resource(resource).Namespace("default").Create(t.Context(), o, metav1.CreateOptions{})
				if apierrors.IsAlreadyExists(err) {
					return nil
				}
				return err
			})
		}
	}
}

func (c *cluster) secret(t *testing.T, name, kind string, label, data map[string]string) {
	t.Helper()
	_, err := c.kube.CoreV1().Secrets("default").Create(t.Context(), &v1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: label}, Type: v1.SecretType(kind), StringData: data,
	}, metav1.CreateOptions{})
	must(t, err)
}

// TestImport: what inventories say of clusters becomes entries that the server takes, and the
// kubeconfigs in them that it takes, with no command run and nothing made.
func TestImport(t *testing.T) {
	w := start(t, 2)
	here := w.by["cluster1"]
	here.define(t)
	good, err := os.ReadFile(w.clusters.Kubeconfig("cluster2"))
	must(t, err)
	const command = "apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: [{name: x, context: {cluster: x, user: x}}]\n" +
		"clusters: [{name: x, cluster: {server: https://10.0.0.1, insecure-skip-tls-verify: true}}]\n" +
		"users: [{name: x, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: aws, interactiveMode: Never}}}]\n"
	here.secret(t, "capi-a-kubeconfig", "cluster.x-k8s.io/secret", map[string]string{"cluster.x-k8s.io/cluster-name": "capi-a"}, map[string]string{"value": string(good)})
	here.secret(t, "istio-remote", "Opaque", map[string]string{"istio/multiCluster": "true"}, map[string]string{"mesh-a": string(good), "mesh-b": command})
	argo := map[string]string{"argocd.argoproj.io/secret-type": "cluster"}
	here.secret(t, "argo-a", "Opaque", argo, map[string]string{
		"name": "argo-a", "server": w.by["cluster2"].config.Host, "config": argoConfigOf(t, w, "cluster2"),
	})
	here.secret(t, "argo-b", "Opaque", argo, map[string]string{"name": "argo-b", "server": "https://10.0.0.1", "config": `{"awsAuthConfig":{"clusterName":"x"}}`})
	here.secret(t, "argo-c", "Opaque", argo, map[string]string{"name": "argo-c", "server": "https://10.0.0.1", "config": `{"execProviderConfig":{"command":"sh"},"bearerToken":"x"}`})
	before, err := here.dump(t.Context())
	must(t, err)
	for _, c := range []struct {
		args    string
		code    int
		members string // with their ranges; "+" is one with a kubeconfig
		says    []string
	}{
		{"capi", 1, "capi-a 10.110.0.0/16", []string{`capi-b (Cluster default/capi-b): left out: capi-b.yaml: clusters[0].serviceCIDRs[0]: "10.111.0.0/33": not a CIDR`}},
		{"capi --kubeconfigs", 1, "capi-a+ 10.110.0.0/16", []string{`without a kubeconfig: Secret default/capi-b-kubeconfig: `}},
		{"submariner", 0, "sub-a 10.112.0.0/16", nil},
		{"submariner --kubeconfigs", 1, "sub-a 10.112.0.0/16", []string{"sub-a (Cluster default/sub-a): without a kubeconfig: it has no credentials"}},
		{"istio --kubeconfigs", 1, "mesh-a+ 10.102.0.0/16", []string{"mesh-b (Secret default/istio-remote, key mesh-b): without a kubeconfig: refused: ", "exec", "mesh-b (Secret default/istio-remote, key mesh-b): left out: its service CIDRs aren't known"}},
		{"argocd --kubeconfigs", 1, "argo-a+ 10.102.0.0/16", []string{"config.awsAuthConfig: a cloud's login", "config.execProviderConfig: a command"}},
		{"istio", 2, "", []string{"--kubeconfigs asks its API", "no cluster of the inventory can be an entry"}},
		{"clusterprofile", 2, "", []string{"p1 (ClusterProfile default/profile-a): left out: its service CIDRs aren't known; `kubectl clusterset join p1"}},
		{"clusterprofile --kubeconfigs", 2, "", []string{`accessProviders "google": name a command that logs in`}},
		{"vmware", 3, "", []string{"must be one of argocd, capi, clusterprofile, istio, submariner"}},
	} {
		code, out, errOut := w.run(append([]string{"import", "-o", "json", "--from"}, strings.Fields(c.args)...)...)
		if members := membersOf(t, out); code != c.code || members != c.members {
			t.Errorf("%s: code %d, members %q, want %d, %q\n%s%s", c.args, code, members, c.code, c.members, out, errOut)
		}
		for _, text := range c.says {
			if !strings.Contains(errOut, text) {
				t.Errorf("%s: doesn't say %q:\n%s", c.args, text, errOut)
			}
		}
	}
	after, err := here.dump(t.Context())
	must(t, err)
	if d := len(after) - len(before); d != 0 {
		t.Errorf("%d objects made", d)
	}
}

// argoConfigOf returns the credentials of a cluster's administrator as Argo CD keeps them.
func argoConfigOf(t *testing.T, w *world, name string) string {
	t.Helper()
	c := w.by[name].config
	text, err := json.Marshal(map[string]any{
		"bearerToken":     c.BearerToken,
		"tlsClientConfig": map[string]any{"caData": c.CAData, "certData": c.CertData, "keyData": c.KeyData},
	})
	must(t, err)
	return string(text)
}

// membersOf returns the members that the printed objects make, each with its range.
func membersOf(t *testing.T, out string) string {
	t.Helper()
	if out == "" {
		return ""
	}
	var list struct{ Items []unstructured.Unstructured }
	must(t, json.Unmarshal([]byte(out), &list))
	secrets, documents := make(map[string]string), make(map[string]string)
	for _, o := range list.Items {
		data, _, _ := unstructured.NestedStringMap(o.Object, "data")
		switch o.GetKind() {
		case "Secret":
			secrets[o.GetNamespace()+"/"+o.GetName()] = data["value"]
		case "ConfigMap":
			documents = data
		}
	}
	parsed := document.Parse(documents)
	must(t, parsed.Err())
	var all []string
	for _, m := range parsed.Set.Clusters {
		mark := ""
		if secret := m.Kubeconfig.Secret; secret.Name != "" {
			mark = "+"
			var kubeconfig []byte
			must(t, json.Unmarshal([]byte(`"`+secrets[secret.String()]+`"`), &kubeconfig))
			_, err := credential.Parse(kubeconfig)
			must(t, err)
		}
		all = append(all, m.Name+mark+" "+m.ServiceCIDRs[0].String())
	}
	return strings.Join(all, ", ")
}
