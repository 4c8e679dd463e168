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

// ServiceExportsCRD is the name of ServiceExports' definition.
const ServiceExportsCRD = "serviceexports.multicluster.x-k8s.io"

// DefineExports makes the CRD of ServiceExports.
func DefineExports(t testing.TB, client dynamic.Interface) {
	t.Helper()
	Define(t, client, ServiceExports.GroupResource(), "ServiceExport", ServiceExports.Version)
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
