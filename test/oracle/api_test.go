//go:build e2e

package oracle

import (
	"fmt"
	"testing"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	mcs "sigs.k8s.io/mcs-api/pkg/apis/v1alpha1"
	mcsclient "sigs.k8s.io/mcs-api/pkg/client/clientset/versioned/typed/apis/v1alpha1"

	"github.com/coredns-clusterset/clusterset/test/apiserver"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

// The ranges that addresses here are from. Some endpoints are outside of all.
const (
	serviceCIDR4, serviceCIDR6 = "10.101.0.0/16", "fd00:101::/108"
	podCIDR4, podCIDR6         = "10.51.0.0/16", "fd00:51::/48"
)

// api is the API server, with the rights of its administrator.
type api struct {
	t          *testing.T
	client     *kubernetes.Clientset
	kubeconfig string
	// mcs is of the API of ServiceImports, nil where that isn't served. With it the data are
	// imports and their slices alone.
	mcs mcsclient.MulticlusterV1alpha1Interface
	// made counts objects, for names that weren't used before.
	made int
	// keep is whether namespaces stay once they are made.
	keep bool
	// services, slices and imports are the versions of what was written last.
	services, slices, imports version
}

// version is a resource version that the next list must know. To know the latest
// without it, an API server asks etcd, and waits for a tenth of a second.
type version string

func (v version) list() metav1.ListOptions {
	if v == "" {
		return metav1.ListOptions{}
	}
	return metav1.ListOptions{ResourceVersion: string(v), ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan}
}

func startAPI(t *testing.T) *api {
	t.Helper()
	up := apiserver.Start(t, "c1="+serviceCIDR4+","+serviceCIDR6)
	kubeconfig := up.Kubeconfig("c1")
	config := harness.ClientConfig(t, kubeconfig)
	config.ContentType = runtime.ContentTypeProtobuf // each step lists objects
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return &api{t: t, client: client, kubeconfig: kubeconfig}
}

// objects are all that the two servers answer from, those included that
// controllers made.
type objects struct {
	namespaces []v1.Namespace
	services   []v1.Service
	slices     []discovery.EndpointSlice
	imports    []mcs.ServiceImport
}

func (a *api) list() objects {
	a.t.Helper()
	namespaces, err := a.client.CoreV1().Namespaces().List(a.t.Context(), metav1.ListOptions{})
	a.must(err)
	return objects{namespaces.Items, a.listServices(), a.listSlices(), a.listImports()}
}

func (a *api) listServices() []v1.Service {
	a.t.Helper()
	list, err := a.client.CoreV1().Services("").List(a.t.Context(), a.services.list())
	a.must(err)
	return list.Items
}

func (a *api) listSlices() []discovery.EndpointSlice {
	a.t.Helper()
	list, err := a.client.DiscoveryV1().EndpointSlices("").List(a.t.Context(), a.slices.list())
	a.must(err)
	return list.Items
}

func (a *api) createNamespace(name string) {
	a.t.Helper()
	_, err := a.client.CoreV1().Namespaces().Create(a.t.Context(), &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	if !a.keep || !apierrors.IsAlreadyExists(err) {
		a.must(err)
	}
}

func (a *api) createService(s *v1.Service) {
	a.t.Helper()
	written, err := a.client.CoreV1().Services(s.Namespace).Create(a.t.Context(), s, metav1.CreateOptions{})
	a.must(err)
	a.services = version(written.ResourceVersion)
}

func (a *api) updateService(s *v1.Service) {
	a.t.Helper()
	written, err := a.client.CoreV1().Services(s.Namespace).Update(a.t.Context(), s, metav1.UpdateOptions{})
	a.must(err)
	a.services = version(written.ResourceVersion)
}

func (a *api) deleteService(s *v1.Service) {
	a.t.Helper()
	a.services = ""
	a.must(a.client.CoreV1().Services(s.Namespace).Delete(a.t.Context(), s.Name, metav1.DeleteOptions{}))
}

func (a *api) createSlice(s *discovery.EndpointSlice) {
	a.t.Helper()
	written, err := a.client.DiscoveryV1().EndpointSlices(s.Namespace).Create(a.t.Context(), s, metav1.CreateOptions{})
	a.must(err)
	a.slices = version(written.ResourceVersion)
}

func (a *api) updateSlice(s *discovery.EndpointSlice) {
	a.t.Helper()
	written, err := a.client.DiscoveryV1().EndpointSlices(s.Namespace).Update(a.t.Context(), s, metav1.UpdateOptions{})
	a.must(err)
	a.slices = version(written.ResourceVersion)
}

func (a *api) deleteSlice(s *discovery.EndpointSlice) {
	a.t.Helper()
	a.slices = ""
	a.must(a.client.DiscoveryV1().EndpointSlices(s.Namespace).Delete(a.t.Context(), s.Name, metav1.DeleteOptions{}))
}

// newName is a name that nothing here had before.
func (a *api) newName(kind string) string {
	a.made++
	return fmt.Sprintf("%s-%d", kind, a.made)
}

func (a *api) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}
