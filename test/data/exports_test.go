//go:build e2e

package data

import (
	"encoding/json"
	"path/filepath"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// TestExportsMarked: with exports marked, a service is answered while a ServiceExport,
// as Submariner and others have it, or the mark of Cilium or of Linkerd says so, with the
// rights alone that deploy/ gives. What its owner hides is gone at once.
func TestExportsMarked(t *testing.T) {
	c := startClusters(t, 1)[0]
	client, err := dynamic.NewForConfig(harness.ClientConfig(t, c.up.Kubeconfig(c.name)))
	c.must(err)
	harness.DefineExports(t, client)
	type set = map[string]string
	services := []struct {
		name                string
		annotations, labels set
		exported, private   bool // as it is, and in a namespace that Cilium's mesh leaves out
	}{
		{name: "plain"},
		{name: "export", exported: true, private: true},
		{name: "cilium", annotations: set{"service.cilium.io/global": "true"}, exported: true},
		{name: "cilium-1-13", annotations: set{"io.cilium/global-service": "true"}, exported: true},
		{name: "cilium-remote", annotations: set{"service.cilium.io/global": "true", "service.cilium.io/shared": "false"}},
		{name: "cilium-remote-1-13", annotations: set{"io.cilium/global-service": "true", "io.cilium/shared-service": "false"}},
		{name: "linkerd-gateway", labels: set{"mirror.linkerd.io/exported": "true"}, exported: true, private: true},
		{name: "linkerd-flat", labels: set{"mirror.linkerd.io/exported": "remote-discovery"}, exported: true, private: true},
		{name: "linkerd-federated", labels: set{"mirror.linkerd.io/federated": "member"}, exported: true, private: true},
		{name: "linkerd-not", labels: set{"mirror.linkerd.io/exported": "false"}},
	}
	for i, s := range services {
		c.addService(s.name, 10+i)
		c.mark(s.name, s.annotations, s.labels)
	}
	harness.Export(t, client, namespace, "export")
	path := filepath.Join(t.TempDir(), "kubeconfig")
	harness.WriteFile(t, path, c.reader().kubeconfig())
	s := newServer(t, auto, "file "+setFile+"\n exports marked", document(c.withFile(path)))
	s.awaitReady(t, harness.StartLimit)
	s.awaitState(t, harness.StartLimit, c.name, fresh)
	check := func(private bool) {
		t.Helper()
		for i, of := range services {
			want := missing
			if !private && of.exported || of.private {
				want = fromData(c.ip(10 + i))
			}
			s.Await(t, seen, name(of.name, c.name), want)
		}
	}
	check(false)
	c.markNamespace("false")
	check(true)
	c.markNamespace("true")
	check(false)
	c.mark("cilium", set{"service.cilium.io/shared": "false"}, nil)
	s.Await(t, seen, name("cilium", c.name), missing)
	c.mark("plain", nil, set{"mirror.linkerd.io/federated": "member"})
	s.Await(t, seen, name("plain", c.name), fromData(c.ip(10)))
	c.must(client.Resource(harness.ServiceExports).Namespace(namespace).Delete(t.Context(), "export", metav1.DeleteOptions{}))
	s.Await(t, seen, name("export", c.name), missing)
}

// mark adds annotations and labels to a service.
func (c *cluster) mark(service string, annotations, labels map[string]string) {
	c.t.Helper()
	_, err := c.admin.CoreV1().Services(namespace).Patch(c.t.Context(), service, types.MergePatchType, c.metadata(annotations, labels), metav1.PatchOptions{})
	c.must(err)
}

// markNamespace says whether Cilium's mesh has what is in the services' namespace.
func (c *cluster) markNamespace(global string) {
	c.t.Helper()
	patch := c.metadata(map[string]string{"clustermesh.cilium.io/global": global}, nil)
	_, err := c.admin.CoreV1().Namespaces().Patch(c.t.Context(), namespace, types.MergePatchType, patch, metav1.PatchOptions{})
	c.must(err)
}

func (c *cluster) metadata(annotations, labels map[string]string) []byte {
	c.t.Helper()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": annotations, "labels": labels}})
	c.must(err)
	return patch
}
