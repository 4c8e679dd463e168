package inventory

import (
	"context"
	"fmt"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/pager"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/objects"
)

// maxClusters bounds an inventory: as many as a ClusterSet may have.
const maxClusters = 5000

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

func newReader(here *objects.Cluster, kubeconfigs bool) (*reader, error) {
	any, err := dynamic.NewForConfig(here.Config)
	if err != nil {
		return nil, err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(here.Kube.Discovery()))
	return &reader{any, here.Kube, mapper, kubeconfigs}, nil
}

// list returns all objects of a kind, in the version that the API prefers.
func (r *reader) list(ctx context.Context, group, kind string) (all []*unstructured.Unstructured, err error) {
	what := kind + "." + group
	mapping, err := r.mapper.RESTMapping(schema.GroupKind{Group: group, Kind: kind})
	if err != nil {
		return nil, fmt.Errorf("%s: isn't installed: %w", what, err)
	}
	err = eachOf(ctx, what, metav1.ListOptions{}, func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		return r.dynamic.Resource(mapping.Resource).List(ctx, o)
	}, func(o runtime.Object) { all = append(all, o.(*unstructured.Unstructured)) })
	return all, err
}

// secrets returns the Secrets with a label.
func (r *reader) secrets(ctx context.Context, label string) (all []*v1.Secret, err error) {
	what := "Secrets with the label " + label
	err = eachOf(ctx, what, metav1.ListOptions{LabelSelector: label}, func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		return r.kube.CoreV1().Secrets(metav1.NamespaceAll).List(ctx, o)
	}, func(o runtime.Object) { all = append(all, o.(*v1.Secret)) })
	return all, err
}

// eachOf calls each with the objects of a list, page by page, as far as maxClusters.
func eachOf(ctx context.Context, what string, o metav1.ListOptions, list pager.ListPageFunc, each func(runtime.Object)) error {
	count := 0
	err := pager.New(list).EachListItem(ctx, o, func(object runtime.Object) error {
		if count++; count > maxClusters {
			return fmt.Errorf("more than %d", maxClusters)
		}
		each(object)
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
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
