//go:build e2e

package member

import (
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

var (
	crds    = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	export  = schema.GroupVersionResource{Group: "multicluster.x-k8s.io", Version: "v1alpha1", Resource: "serviceexports"}
	crdName = "serviceexports.multicluster.x-k8s.io"
)

// define makes the CRD, in its older version alone, as GKE has it.
func (a *api) define() {
	a.t.Helper()
	_, err := a.dynamic.Resource(crds).Create(a.t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{
			"name":        crdName,
			"annotations": map[string]any{"api-approved.kubernetes.io": "https://github.com/kubernetes/enhancements/pull/1748"},
		},
		"spec": map[string]any{
			"group": "multicluster.x-k8s.io", "scope": "Namespaced",
			"names": map[string]any{"plural": "serviceexports", "singular": "serviceexport", "kind": "ServiceExport", "listKind": "ServiceExportList"},
			"versions": []any{map[string]any{
				"name": "v1alpha1", "served": true, "storage": true,
				"schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
			}},
		},
	}}, metav1.CreateOptions{})
	a.must(err)
}

func (a *api) export(name string) {
	a.t.Helper()
	harness.Eventually(a.t, settled, "export", func() error {
		_, err := a.dynamic.Resource(export).Namespace(namespace).Create(a.t.Context(), &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "multicluster.x-k8s.io/v1alpha1", "kind": "ServiceExport", "metadata": map[string]any{"name": name},
		}}, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	})
}

func (s *subject) awaitExport(limit time.Duration, name string, there bool) time.Duration {
	s.t.Helper()
	return harness.Eventually(s.t, limit, "export of "+name, func() error {
		since, exported := s.View().Data.Exported(key(name))
		if exported != there || there && time.Since(since) > time.Hour {
			return fmt.Errorf("exported: %v, since %v", exported, since)
		}
		return nil
	})
}

// TestExports: their CRD comes and goes.
func TestExports(t *testing.T) {
	a := startAPI(t)
	a.create("one")
	missing, known := startMember(a), startMember(a)
	missing.use(a.up.Kubeconfig("c1"))
	<-missing.Synced()
	if missing.hasTold("info", "no ServiceExports") != 1 {
		t.Error("that there are none isn't told")
	}
	a.define()
	a.export("one")
	known.use(a.up.Kubeconfig("c1"))
	<-known.Synced()
	if _, exported := known.View().Data.Exported(key("one")); !exported {
		t.Error("an export that is there isn't in the first data")
	}
	a.export("two")
	known.awaitExport(settled, "two", true)
	a.must(a.dynamic.Resource(export).Namespace(namespace).Delete(t.Context(), "two", metav1.DeleteOptions{}))
	known.awaitExport(settled, "two", false)
	t.Logf("seen %v after the CRD came", missing.awaitExport(80*time.Second, "one", true))
	a.must(a.dynamic.Resource(crds).Delete(t.Context(), crdName, metav1.DeleteOptions{}))
	missing.awaitExport(settled, "one", false)
	known.awaitExport(settled, "one", false)
	for _, s := range []*subject{missing, known} {
		if err := s.isFresh(); err != nil {
			t.Error(err)
		}
	}
}
