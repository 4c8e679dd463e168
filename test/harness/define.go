//go:build e2e

package harness

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// CRDs are the kinds of objects that an API server was told of.
var CRDs = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}

// Define makes the CRD of a kind whose objects may have any fields, with those versions, the
// first of which is stored.
func Define(t testing.TB, client dynamic.Interface, resource schema.GroupResource, kind string, versions ...string) {
	t.Helper()
	var served []any
	for n, version := range versions {
		served = append(served, map[string]any{
			"name": version, "served": true, "storage": n == 0,
			"schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
		})
	}
	_, err := client.Resource(CRDs).Create(t.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{
			"name": resource.String(),
			// The API asks it of groups of Kubernetes' own.
			"annotations": map[string]any{"api-approved.kubernetes.io": "https://github.com/kubernetes/enhancements/pull/1748"},
		},
		"spec": map[string]any{
			"group": resource.Group, "scope": "Namespaced",
			"names":    map[string]any{"plural": resource.Resource, "singular": strings.ToLower(kind), "kind": kind, "listKind": kind + "List"},
			"versions": served,
		},
	}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}
