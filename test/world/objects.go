//go:build e2e && linux

package world

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"

	authentication "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

//go:embed manifests
var manifests embed.FS

// account is the ServiceAccount of CoreDNS.
const account = "coredns"

// makeObjects makes what kubeadm would, what deploy/kustomize/kube-system adds, and
// something to look up. It is called on a goroutine of its own, and reports with Errorf.
func (c *Cluster) makeObjects() {
	if err := c.tryObjects(); err != nil {
		c.t.Errorf("world: %s: %v", c.Name, err)
	}
}

func (c *Cluster) tryObjects() error {
	_, err := harness.Poll(c.t.Context(), harness.StartLimit, func() error {
		_, err := c.Client.CoreV1().Namespaces().Get(c.t.Context(), metav1.NamespaceSystem, metav1.GetOptions{})
		return err
	})
	if err != nil {
		return err
	}
	for _, manifest := range []string{"kubeadm.yaml", "shop.yaml"} {
		if err := c.applyTemplate(manifest, c); err != nil {
			return err
		}
	}
	if err := c.Apply(readFile(c.t, "deploy/kustomize/kube-system/rbac.yaml")); err != nil {
		return err
	}
	for _, r := range c.Replicas {
		if err := c.applyTemplate("pod.yaml", r); err != nil {
			return err
		}
	}
	return c.writeAccounts()
}

// Corefile is that of deploy/kustomize/kube-system, as its page says to fill it in, with
// names over all clusters; as a string of YAML.
func (c *Cluster) Corefile() string { return strconv.Quote(c.corefile()) }

func (c *Cluster) corefile() string {
	return strings.NewReplacer(
		"# local cluster1", "local "+c.Name,
		"clusterset lan in-addr.arpa ip6.arpa {", "clusterset lan clusterset.local in-addr.arpa ip6.arpa {\n        multicluster clusterset.local",
	).Replace(readFile(c.t, "deploy/kustomize/kube-system/Corefile"))
}

func (c *Cluster) applyTemplate(name string, values any) error {
	var text bytes.Buffer
	if err := template.Must(template.ParseFS(manifests, "manifests/"+name)).Execute(&text, values); err != nil {
		return err
	}
	return c.Apply(text.String())
}

// Apply applies objects on the server's side, their status too: "kubectl apply
// --server-side".
func (c *Cluster) Apply(text string) error {
	documents := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		object := new(unstructured.Unstructured)
		if err := documents.Decode(object); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if len(object.Object) == 0 {
			continue
		}
		if err := c.apply(object); err != nil {
			return err
		}
	}
}

func (c *Cluster) apply(object *unstructured.Unstructured) error {
	resource, _ := meta.UnsafeGuessKindToResource(object.GroupVersionKind())
	var client dynamic.ResourceInterface = c.Dynamic.Resource(resource)
	if object.GetNamespace() != "" {
		client = c.Dynamic.Resource(resource).Namespace(object.GetNamespace())
	}
	options := metav1.ApplyOptions{FieldManager: "kubeadm", Force: true}
	if _, err := client.Apply(c.t.Context(), object.GetName(), object, options); err != nil {
		return err
	}
	if _, has := object.Object["status"]; !has {
		return nil
	}
	_, err := client.ApplyStatus(c.t.Context(), object.GetName(), object, options)
	return err
}

// writeAccounts writes the kubeconfigs that replicas have: the token of their
// ServiceAccount, and an API that each reaches by a relay of its own.
func (c *Cluster) writeAccounts() error {
	token, err := c.Client.CoreV1().ServiceAccounts(metav1.NamespaceSystem).
		CreateToken(c.t.Context(), account, &authentication.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	for _, r := range c.Replicas {
		if r.kubeconfig, err = c.writeToken(token.Status.Token, r.API.Addr); err != nil {
			return err
		}
	}
	return nil
}

// writeToken writes a kubeconfig of who has the token, and reaches the API at an address.
func (c *Cluster) writeToken(token, at string) (path string, err error) {
	config := api.NewConfig()
	config.Clusters[c.Name] = &api.Cluster{
		Server: "https://" + at, TLSServerName: c.service(1), CertificateAuthorityData: c.Config.CAData,
	}
	config.AuthInfos[c.Name] = &api.AuthInfo{Token: token}
	config.Contexts[c.Name] = &api.Context{Cluster: c.Name, AuthInfo: c.Name}
	config.CurrentContext = c.Name
	path = filepath.Join(c.t.TempDir(), "kubeconfig")
	return path, clientcmd.WriteToFile(*config, path)
}

// PatchConfigMap merges data into a ConfigMap of kube-system, which is made where it isn't
// there. A nil value removes a key.
func (c *Cluster) PatchConfigMap(name string, data map[string]*string) error {
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": name, "namespace": metav1.NamespaceSystem},
	}}
	if err := c.apply(object); err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{"data": data})
	if err != nil {
		return err
	}
	_, err = c.Client.CoreV1().ConfigMaps(metav1.NamespaceSystem).
		Patch(c.t.Context(), name, mergePatch, patch, metav1.PatchOptions{})
	return err
}
