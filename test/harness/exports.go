//go:build e2e

package harness

import (
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// ServiceExports are the MCS API's (KEP-1645), in their older version alone, as GKE and
// Submariner have them.
var ServiceExports = schema.GroupVersionResource{Group: "multicluster.x-k8s.io", Version: "v1alpha1", Resource: "serviceexports"}

// CRDs are the kinds of objects that an API server was told of.
var CRDs = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// ServiceExportsCRD is the name of ServiceExports' definition.
const ServiceExportsCRD = "serviceexports.multicluster.x-k8s.io"

// DefineExports makes the CRD of ServiceExports.
func DefineExports(t testing.TB, client dynamic.Interface) {
	t.Helper()
	_, err := client.Resource(CRDs).Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{
			"name":        ServiceExportsCRD,
			"annotations": map[string]any{"api-approved.kubernetes.io": "https://github.com/kubernetes/enhancements/pull/1748"},
		},
		"spec": map[string]any{
			"group": ServiceExports.Group, "scope": "Namespaced",
			"names": map[string]any{"plural": "serviceexports", "singular": "serviceexport", "kind": "ServiceExport", "listKind": "ServiceExportList"},
			"versions": []any{map[string]any{
				"name": ServiceExports.Version, "served": true, "storage": true,
				"schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
			}},
		},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// Export exports the Service of that name, as soon as the API server knows how.
func Export(t testing.TB, client dynamic.Interface, namespace, name string) {
	t.Helper()
	Eventually(t, settled, "export", func() error {
		_, err := client.Resource(ServiceExports).Namespace(namespace).Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": ServiceExports.GroupVersion().String(), "kind": "ServiceExport", "metadata": map[string]any{"name": name},
		}}, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	})
}
