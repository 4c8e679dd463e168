package inventory

import (
	"context"
	"fmt"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
)

// Bounds of an inventory: as many clusters as a ClusterSet may have.
const (
	maxClusters = 5000
	pageSize    = 500
)

// cluster is what an inventory says of one.
type cluster struct {
	// name is the entry's, and origin what it is in the inventory: "Cluster fleet/east".
	name, origin           string
	serviceCIDRs, podCIDRs []string
	// domain is its own, "" is cluster.local.
	domain string
	// kubeconfig is as it is written there, nil where there is none.
	kubeconfig []byte
	// refused is why its credentials can't be used, "" where they may be.
	refused string
}

// reader reads an inventory's objects: of kinds that needn't be installed, so as they are.
type reader struct {
	dynamic dynamic.Interface
	kube    kubernetes.Interface
	mapper  *restmapper.DeferredDiscoveryRESTMapper
	// kubeconfigs reports whether they are wanted: a credential isn't read in vain.
	kubeconfigs bool
}

func newReader(config *rest.Config, kubeconfigs bool) (*reader, error) {
	any, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	asked, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	return &reader{any, kube, restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(asked)), kubeconfigs}, nil
}

// list returns all objects of a kind, in the version that the API prefers.
func (r *reader) list(ctx context.Context, group, kind string) ([]unstructured.Unstructured, error) {
	mapping, err := r.mapper.RESTMapping(schema.GroupKind{Group: group, Kind: kind})
	if err != nil {
		return nil, fmt.Errorf("%s.%s: isn't installed: %w", kind, group, err)
	}
	var all []unstructured.Unstructured
	options := metav1.ListOptions{Limit: pageSize}
	for {
		page, err := r.dynamic.Resource(mapping.Resource).List(ctx, options)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", kind, group, err)
		}
		if all = append(all, page.Items...); len(all) > maxClusters {
			return nil, fmt.Errorf("%s.%s: has more than %d", kind, group, maxClusters)
		}
		if options.Continue = page.GetContinue(); options.Continue == "" {
			return all, nil
		}
	}
}

// secrets returns the Secrets with a label.
func (r *reader) secrets(ctx context.Context, label string) ([]v1.Secret, error) {
	var all []v1.Secret
	options := metav1.ListOptions{Limit: pageSize, LabelSelector: label}
	for {
		page, err := r.kube.CoreV1().Secrets(metav1.NamespaceAll).List(ctx, options)
		if err != nil {
			return nil, fmt.Errorf("label %s of Secrets: %w", label, err)
		}
		if all = append(all, page.Items...); len(all) > maxClusters {
			return nil, fmt.Errorf("label %s of Secrets: more than %d have it", label, maxClusters)
		}
		if options.Continue = page.Continue; options.Continue == "" {
			return all, nil
		}
	}
}

// texts returns a list of strings in an object, nil where there is none.
func texts(o map[string]any, path ...string) []string {
	list, _, _ := unstructured.NestedStringSlice(o, path...) // another type is none
	return list
}

func text(o map[string]any, path ...string) string {
	s, _, _ := unstructured.NestedString(o, path...) // another type is none
	return s
}
