//go:build e2e

package harness

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// ServiceImportsCRD is the name of ServiceImports' definition.
const ServiceImportsCRD = "serviceimports.multicluster.x-k8s.io"

// ServiceImports are the MCS API's (KEP-1645), in that version.
func ServiceImports(version string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "multicluster.x-k8s.io", Version: version, Resource: "serviceimports"}
}

// DefineImports makes the CRD of ServiceImports, with those versions, the first of which is
// stored.
func DefineImports(t testing.TB, client dynamic.Interface, versions ...string) {
	t.Helper()
	Define(t, client, ServiceImports("").GroupResource(), "ServiceImport", versions...)
}

// Import makes a ServiceImport with that spec, as soon as the API server knows how.
func Import(t testing.TB, client dynamic.Interface, version, namespace, name string, spec map[string]any) {
	t.Helper()
	r := ServiceImports(version)
	Eventually(t, settled, "import", func() error {
		_, err := client.Resource(r).Namespace(namespace).Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": r.GroupVersion().String(), "kind": "ServiceImport", "metadata": map[string]any{"name": name}, "spec": spec,
		}}, metav1.CreateOptions{})
		return err
	})
}
