//go:build e2e

package overset

import (
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/coredns-clusterset/clusterset/test/apiserver"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

// TestOverset runs every story on the same three API servers, each in a namespace of its own.
func TestOverset(t *testing.T) {
	up := apiserver.Start(t, "east=10.101.0.0/16", "west=10.102.0.0/16", "north=10.103.0.0/16")
	east, west, north := newCluster(t, up, "east", 1), newCluster(t, up, "west", 2), newCluster(t, up, "north", 3)
	for _, test := range []struct {
		name string
		run  func(*story)
	}{
		{"Linkerd", linkerd},
		{"Cilium", cilium},
		{"Istio", istio},
		{"Envoy", envoy},
		{"Lighthouse", lighthouse},
		{"Clouds", clouds},
		{"StatefulSet", statefulSet},
		{"DNSAlone", dnsAlone},
		{"SearchPath", searchPath},
		{"GatewayDies", gatewayDies},
		{"MemberDies", memberDies},
		{"MCS", mcs},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := &story{T: t, namespace: strings.ToLower(test.name), east: east, west: west, north: north}
			s.createNamespace()
			test.run(s)
		})
	}
}

// story is a test with a namespace of its own in every cluster.
type story struct {
	*testing.T
	namespace         string
	east, west, north *cluster
}

// row runs a subtest of a story, in another namespace.
func (s *story) row(name string, run func(*story)) {
	s.Run(name, func(t *testing.T) {
		sub := *s
		sub.T, sub.namespace = t, s.namespace+"-"+strings.ReplaceAll(strings.ToLower(name), " ", "-")
		sub.createNamespace()
		run(&sub)
	})
}

func (s *story) clusters() []*cluster { return []*cluster{s.east, s.west, s.north} }

func (s *story) createNamespace() {
	s.Helper()
	for _, c := range s.clusters() {
		_, err := c.admin.CoreV1().Namespaces().Create(s.Context(), &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}, metav1.CreateOptions{})
		s.must(err)
	}
}

func (s *story) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// name is that of a service of the story's namespace over the whole ClusterSet.
func (s *story) name(service string) string {
	return service + "." + s.namespace + ".svc.clusterset.local."
}

// newCluster returns a cluster that has started, with the CRDs it needs.
func newCluster(t *testing.T, up *apiserver.Clusters, name string, n int) *cluster {
	t.Helper()
	config := harness.ClientConfig(t, up.Kubeconfig(name))
	c := &cluster{name: name, n: n, up: up, config: config}
	var err error
	if c.admin, err = kubernetes.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	harness.DefineExports(t, c.client(t))
	harness.DefineImports(t, c.client(t), "v1alpha1", importsVersion)
	// A pod of a node that isn't there is not for the controllers.
	node := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node"}}
	if _, err := c.admin.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	return c
}
