//go:build e2e

package oracle

import (
	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	mcs "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
	mcsclient "sigs.k8s.io/mcs-api/pkg/client/clientset/versioned/typed/apis/v1alpha1"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// fillImports makes ServiceImports, and all that they need. They are served in both versions:
// kubernetes reads v1alpha1 alone, and clusterset v1beta1 where there is one.
func (a *api) fillImports() {
	a.t.Helper()
	config := harness.ClientConfig(a.t, a.kubeconfig)
	harness.DefineImports(a.t, dynamic.NewForConfigOrDie(config), "v1beta1", "v1alpha1")
	a.mcs, a.keep = mcsclient.NewForConfigOrDie(config), true
	for _, name := range namespaces {
		a.createNamespace(name)
	}
	harness.Eventually(a.t, limit, "ServiceImports", func() error {
		_, err := a.mcs.ServiceImports("").List(a.t.Context(), metav1.ListOptions{})
		return err
	})
	a.makeServicesAndSlices()
}

// makeImports makes those at the beginning.
func (a *api) makeImports(group *errgroup.Group) {
	a.imports = ""
	for _, s := range serviceImports() {
		group.Go(func() error {
			_, err := a.mcs.ServiceImports(s.Namespace).Create(a.t.Context(), s, metav1.CreateOptions{})
			return err
		})
	}
}

func (a *api) listImports() []mcs.ServiceImport {
	a.t.Helper()
	if a.mcs == nil {
		return nil
	}
	list, err := a.mcs.ServiceImports("").List(a.t.Context(), a.imports.list())
	a.must(err)
	return list.Items
}

// createImport makes it, unless there is one of its name.
func (a *api) createImport(s *mcs.ServiceImport) {
	a.t.Helper()
	written, err := a.mcs.ServiceImports(s.Namespace).Create(a.t.Context(), s, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return
	}
	a.must(err)
	a.imports = version(written.ResourceVersion)
}

func (a *api) updateImport(s *mcs.ServiceImport) {
	a.t.Helper()
	written, err := a.mcs.ServiceImports(s.Namespace).Update(a.t.Context(), s, metav1.UpdateOptions{})
	a.must(err)
	a.imports = version(written.ResourceVersion)
}

func (a *api) deleteImport(s *mcs.ServiceImport) {
	a.t.Helper()
	a.imports = ""
	a.must(a.mcs.ServiceImports(s.Namespace).Delete(a.t.Context(), s.Name, metav1.DeleteOptions{}))
}
