//go:build e2e

package member

import (
	"fmt"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

var (
	theImports   = [2]string{"multicluster.x-k8s.io", "serviceimports"}
	clusterSetIP = map[string]any{"type": "ClusterSetIP", "ips": []any{"10.9.0.1"}, "ports": []any{map[string]any{"name": "http", "port": int64(80)}}}
	headless     = map[string]any{"type": "Headless", "ports": []any{map[string]any{"name": "http", "port": int64(80)}}}
)

// importSlice makes a slice of one endpoint as it is imported of a cluster.
func (a *api) importSlice(name, of, cluster, address string) {
	a.t.Helper()
	_, err := a.admin.DiscoveryV1().EndpointSlices(namespace).Create(a.t.Context(), &discovery.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
			"multicluster.kubernetes.io/service-name": of, "multicluster.kubernetes.io/source-cluster": cluster,
		}},
		AddressType: discovery.AddressTypeIPv4,
		Ports:       []discovery.EndpointPort{{Name: new("http"), Protocol: new(v1.ProtocolTCP), Port: new(int32(80))}},
		Endpoints:   []discovery.Endpoint{{Addresses: []string{address}}},
	}, metav1.CreateOptions{})
	a.must(err)
}

// awaitImport waits for fresh data with the import of that name and its clusters, or
// without it where its type is NoService.
func (s *subject) awaitImport(limit time.Duration, name string, as model.ServiceType, clusters ...string) time.Duration {
	s.t.Helper()
	return harness.Eventually(s.t, limit, "import of "+name, func() error {
		v, is := s.View(), model.NoService
		var of []string
		if i := v.Data.Find(key(name)); i != nil {
			is = i.Type
			for _, slice := range i.Slices {
				of = append(of, slice.Cluster)
			}
		}
		if v.State != member.Fresh || is != as || fmt.Sprint(of) != fmt.Sprint(clusters) {
			return fmt.Errorf("%v, type %v, of %v", v.State, is, of)
		}
		return nil
	})
}

// TestImports: the CRD of ServiceImports, the right to read them, and they themselves come
// and go.
func TestImports(t *testing.T) {
	a := startAPI(t)
	a.create("own")
	start := func() *subject { return startMemberWith(a, func(o *member.Options) { o.Imports = true }) }
	missing, forbidden := start(), start()
	missing.use(a.up.Kubeconfig("c1"))
	missing.awaitImport(settled, "own", model.NoService)
	if missing.hasTold("info", "no ServiceImports") != 1 {
		t.Error("that there are none isn't told")
	}

	harness.DefineImports(t, a.dynamic, "v1alpha1", "v1beta1")
	a.importSlice("web-1", "web", "c1", "10.0.0.1")
	harness.Import(t, a.dynamic, "v1beta1", namespace, "web", headless)
	forbidden.use(a.account("viewer"))
	forbidden.awaitImport(settled, "web", model.NoService)
	if forbidden.hasTold("warning", "forbidden", "allow list and watch") != 1 {
		t.Error("that they are forbidden isn't told")
	}
	a.deny("viewer")
	a.allow("viewer", theSlices, theImports)

	known := start()
	known.use(a.up.Kubeconfig("c1"))
	known.awaitImport(settled, "web", model.Headless, "c1")
	harness.Import(t, a.dynamic, "v1alpha1", namespace, "late", clusterSetIP)
	known.awaitImport(settled, "late", model.ClusterIP)
	a.importSlice("late-1", "late", "c2", "10.0.0.2")
	known.awaitImport(settled, "late", model.ClusterIP, "c2")
	if i := known.View().Data.Find(key("late")); len(i.ClusterIPs) != 1 || i.Ports[0] != (model.Port{Name: "http", Protocol: "TCP", Number: 80}) {
		t.Errorf("%+v", i)
	}
	known.awaitImport(settled, "own", model.NoService)
	a.must(a.dynamic.Resource(harness.ServiceImports("v1beta1")).Namespace(namespace).Delete(t.Context(), "late", metav1.DeleteOptions{}))
	known.awaitImport(settled, "late", model.NoService)

	t.Logf("seen %v after the right came", forbidden.awaitImport(80*time.Second, "web", model.Headless, "c1"))
	t.Logf("seen %v after the CRD came", missing.awaitImport(80*time.Second, "web", model.Headless, "c1"))
	a.must(a.dynamic.Resource(harness.CRDs).Delete(t.Context(), harness.ServiceImportsCRD, metav1.DeleteOptions{}))
	for _, s := range []*subject{missing, forbidden, known} {
		s.awaitImport(settled, "web", model.NoService)
	}
}
