//go:build e2e

package overset

import (
	"encoding/json"
	"fmt"
	"testing"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/coredns-clusterset/clusterset/test/apiserver"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

// cluster is a member with an API server. Its service CIDR is 10.(100+n).0.0/16, and its pods'
// addresses begin with 10.(50+n).
type cluster struct {
	name   string
	n      int
	up     *apiserver.Clusters
	config *rest.Config
	admin  *kubernetes.Clientset
}

func (c *cluster) client(t testing.TB) dynamic.Interface {
	t.Helper()
	client, err := dynamic.NewForConfig(c.config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// pod is the address of a pod.
func (c *cluster) pod(i int) string { return fmt.Sprintf("10.%d.0.%d", 50+c.n, i) }

// pods are the addresses of the first pods.
func (c *cluster) pods(count int) (all []string) {
	for i := range count {
		all = append(all, c.pod(i+1))
	}
	return all
}

type marks = map[string]string

// The marks by which a service is exported.
var (
	byLinkerd = labels(marks{"mirror.linkerd.io/exported": "true"})
	byCilium  = annotations(marks{"service.cilium.io/global": "true"})
)

func labels(m marks) func(*v1.Service)      { return func(s *v1.Service) { s.Labels = m } }
func annotations(m marks) func(*v1.Service) { return func(s *v1.Service) { s.Annotations = m } }
func headless(s *v1.Service)                { s.Spec.ClusterIP = v1.ClusterIPNone }

// service makes a Service with a port "http", and returns its cluster IP.
func (s *story) service(c *cluster, name string, change ...func(*v1.Service)) string {
	s.Helper()
	object := &v1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       v1.ServiceSpec{Ports: []v1.ServicePort{{Name: "http", Port: 80}}},
	}
	for _, f := range change {
		f(object)
	}
	made, err := c.admin.CoreV1().Services(s.namespace).Create(s.Context(), object, metav1.CreateOptions{})
	s.must(err)
	return made.Spec.ClusterIP
}

// web makes the Service "web", with two ready endpoints, and returns its cluster IP.
func (s *story) web(c *cluster, change ...func(*v1.Service)) string {
	s.Helper()
	ip := s.service(c, "web", change...)
	s.endpoints(c, "web", 2, 2)
	return ip
}

// endpoints gives a Service so many, of which the first are ready.
func (s *story) endpoints(c *cluster, service string, total, ready int) {
	s.Helper()
	var all []discovery.Endpoint
	for i, address := range c.pods(total) {
		all = append(all, discovery.Endpoint{Addresses: []string{address}, Conditions: discovery.EndpointConditions{Ready: new(i < ready)}})
	}
	s.slice(c, service, service+"-1", discovery.AddressTypeIPv4, all...)
}

// slice writes an EndpointSlice of a Service.
func (s *story) slice(c *cluster, service, name string, family discovery.AddressType, endpoints ...discovery.Endpoint) {
	s.Helper()
	harness.Put(s.T, c.admin.DiscoveryV1().EndpointSlices(s.namespace), &discovery.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: name, Labels: marks{discovery.LabelServiceName: service}},
		AddressType: family, Endpoints: endpoints,
		Ports: []discovery.EndpointPort{{Name: new("http"), Protocol: new(v1.ProtocolTCP), Port: new(int32(8080))}},
	})
}

// export makes a ServiceExport.
func (s *story) export(c *cluster, service string) {
	s.Helper()
	harness.Export(s.T, c.client(s.T), s.namespace, service)
}

// unexport removes it.
func (s *story) unexport(c *cluster, service string) {
	s.Helper()
	s.must(c.client(s.T).Resource(harness.ServiceExports).Namespace(s.namespace).Delete(s.Context(), service, metav1.DeleteOptions{}))
}

// annotate changes annotations of a Service; nil removes one.
func (s *story) annotate(c *cluster, service string, annotations map[string]any) {
	s.Helper()
	_, err := c.admin.CoreV1().Services(s.namespace).Patch(s.Context(), service, types.MergePatchType, s.patch(annotations), metav1.PatchOptions{})
	s.must(err)
}

// annotateNamespace changes annotations of the story's namespace.
func (s *story) annotateNamespace(c *cluster, annotations map[string]any) {
	s.Helper()
	_, err := c.admin.CoreV1().Namespaces().Patch(s.Context(), s.namespace, types.MergePatchType, s.patch(annotations), metav1.PatchOptions{})
	s.must(err)
}

func (s *story) patch(annotations map[string]any) []byte {
	s.Helper()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": annotations}})
	s.must(err)
	return patch
}
