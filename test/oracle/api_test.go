//go:build e2e

package oracle

import (
	"fmt"
	"testing"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/coredns-clusterset/clusterset/test/harness"
	"github.com/coredns-clusterset/clusterset/test/kubeup"
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
	// made counts objects, for names that weren't used before.
	made int
}

func startAPI(t *testing.T) *api {
	t.Helper()
	up := kubeup.Start(t, "c1="+serviceCIDR4+","+serviceCIDR6)
	kubeconfig := up.Kubeconfig("c1")
	return &api{t: t, client: harness.NewClient(t, kubeconfig), kubeconfig: kubeconfig}
}

// objects are all that the two servers answer from, those included that
// controllers made.
type objects struct {
	namespaces []v1.Namespace
	services   []v1.Service
	slices     []discovery.EndpointSlice
}

func (a *api) list() objects {
	a.t.Helper()
	ctx, options := a.t.Context(), metav1.ListOptions{}
	namespaces, err := a.client.CoreV1().Namespaces().List(ctx, options)
	a.must(err)
	services, err := a.client.CoreV1().Services("").List(ctx, options)
	a.must(err)
	slices, err := a.client.DiscoveryV1().EndpointSlices("").List(ctx, options)
	a.must(err)
	return objects{namespaces.Items, services.Items, slices.Items}
}

func (a *api) createNamespace(name string) {
	a.t.Helper()
	_, err := a.client.CoreV1().Namespaces().Create(a.t.Context(), &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	a.must(err)
}

func (a *api) createService(s *v1.Service) {
	a.t.Helper()
	_, err := a.client.CoreV1().Services(s.Namespace).Create(a.t.Context(), s, metav1.CreateOptions{})
	a.must(err)
}

func (a *api) updateService(s *v1.Service) {
	a.t.Helper()
	_, err := a.client.CoreV1().Services(s.Namespace).Update(a.t.Context(), s, metav1.UpdateOptions{})
	a.must(err)
}

func (a *api) deleteService(s *v1.Service) {
	a.t.Helper()
	a.must(a.client.CoreV1().Services(s.Namespace).Delete(a.t.Context(), s.Name, metav1.DeleteOptions{}))
}

func (a *api) createSlice(s *discovery.EndpointSlice) {
	a.t.Helper()
	_, err := a.client.DiscoveryV1().EndpointSlices(s.Namespace).Create(a.t.Context(), s, metav1.CreateOptions{})
	a.must(err)
}

func (a *api) updateSlice(s *discovery.EndpointSlice) {
	a.t.Helper()
	_, err := a.client.DiscoveryV1().EndpointSlices(s.Namespace).Update(a.t.Context(), s, metav1.UpdateOptions{})
	a.must(err)
}

func (a *api) deleteSlice(s *discovery.EndpointSlice) {
	a.t.Helper()
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
