package corefile

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
)

// fixture is a member with Services in the namespace "shop": cluster IPs are in
// 10.(100+n).0.0/16, pods in 10.(50+n).0.0/16.
type fixture struct {
	n        int
	services []fixtureService
}

// fixtureService has endpoints, the first of which are ready.
type fixtureService struct {
	name         string
	host         int // of its cluster IP; its pods' follow
	total, ready int
	headless     bool
	loadBalancer v1.LoadBalancerIngress
}

// newFixture returns the nth member: the first has no pod of "api" ready, and the third
// has Services behind load balancers.
func newFixture(n int) *fixture {
	if n == 3 {
		return &fixture{n, []fixtureService{
			{name: "edge", host: 40, total: 1, ready: 1, loadBalancer: v1.LoadBalancerIngress{IP: "198.51.100.20"}},
			{name: "store", host: 50, total: 1, ready: 1, loadBalancer: v1.LoadBalancerIngress{Hostname: "store.elb.eu-west-1.amazonaws.com"}},
		}}
	}
	ready := 2
	if n == 1 {
		ready = 0
	}
	return &fixture{n, []fixtureService{
		{name: "web", host: 20, total: 2, ready: 2},
		{name: "api", host: 30, total: 2, ready: ready},
		{name: "db", host: 40, total: 1, ready: 1, headless: true},
	}}
}

func (f *fixture) clusterIP(s *fixtureService) string {
	if s.headless {
		return v1.ClusterIPNone
	}
	return fmt.Sprintf("10.%d.0.%d", 100+f.n, s.host)
}

const soaOfMember = "cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5\n"

// records are what the member's DNS has of Services with a cluster IP.
func (f *fixture) records() string {
	var b strings.Builder
	for i := range f.services {
		if s := &f.services[i]; !s.headless {
			fmt.Fprintf(&b, "%s.shop.svc.cluster.local. 5 IN A %s\n", s.name, f.clusterIP(s))
		}
	}
	return b.String()
}

// api starts the member's API. mark exports each Service, nil by a ServiceExport.
func (f *fixture) api(t *testing.T, mark func(*metav1.ObjectMeta)) *apitest.API {
	t.Helper()
	services := &v1.ServiceList{ListMeta: metav1.ListMeta{ResourceVersion: "1"}}
	slices := &discovery.EndpointSliceList{ListMeta: services.ListMeta}
	exports := metadataList()
	for i := range f.services {
		s := f.service(&f.services[i])
		if mark == nil {
			exports.Items = append(exports.Items, metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: s.Name}})
		} else {
			mark(&s.ObjectMeta)
		}
		services.Items = append(services.Items, s)
		slices.Items = append(slices.Items, f.slice(&f.services[i]))
	}
	respond := func(o runtime.Object) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { apitest.Respond(t, w, o.DeepCopyObject()) }
	}
	namespaces := metadataList()
	namespaces.Items = []metav1.PartialObjectMetadata{{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}}
	return apitest.Start(t, true, map[string]http.HandlerFunc{
		apitest.ServicesPath: respond(services), apitest.SlicesPath: respond(slices),
		apitest.NamespacesPath: respond(namespaces), apitest.ExportsPath: respond(exports),
	})
}

func metadataList() *metav1.PartialObjectMetadataList {
	list := &metav1.PartialObjectMetadataList{ListMeta: metav1.ListMeta{ResourceVersion: "1"}}
	list.SetGroupVersionKind(metav1.SchemeGroupVersion.WithKind("PartialObjectMetadataList"))
	return list
}

func (f *fixture) service(s *fixtureService) v1.Service {
	to := v1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: s.name, Namespace: "shop", ResourceVersion: "1"},
		Spec:       v1.ServiceSpec{ClusterIP: f.clusterIP(s), Ports: []v1.ServicePort{{Name: "http", Protocol: v1.ProtocolTCP, Port: 80}}},
	}
	if s.loadBalancer.IP+s.loadBalancer.Hostname != "" {
		to.Spec.Type = v1.ServiceTypeLoadBalancer
		to.Status.LoadBalancer.Ingress = []v1.LoadBalancerIngress{s.loadBalancer}
	}
	return to
}

func (f *fixture) slice(s *fixtureService) discovery.EndpointSlice {
	to := discovery.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Name: s.name + "-1", Namespace: "shop", ResourceVersion: "1", Labels: map[string]string{discovery.LabelServiceName: s.name},
		},
		AddressType: discovery.AddressTypeIPv4,
		Ports:       []discovery.EndpointPort{{Name: new("http"), Protocol: new(v1.ProtocolTCP), Port: new(int32(80))}},
	}
	for i := range s.total {
		e := discovery.Endpoint{
			Addresses:  []string{fmt.Sprintf("10.%d.0.%d", 50+f.n, s.host+1+i)},
			Conditions: discovery.EndpointConditions{Ready: new(i < s.ready)},
		}
		if s.headless {
			e.Hostname = new(fmt.Sprintf("%s-%d", s.name, i))
		}
		to.Endpoints = append(to.Endpoints, e)
	}
	return to
}
