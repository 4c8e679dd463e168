package member

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/resources"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// maxPerService is 1.1 times what a Service and its slice, as below, took in bytes while
// nothing but ready endpoints was kept.
const maxPerService = 999

func ptr[T any](v T) *T { return &v }

// serviceLike is a Service as they are: one of 20 has a load balancer, one of 50 session
// affinity.
func serviceLike(i int) *v1.Service {
	s := &v1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("service-%d", i), Namespace: "default", UID: "u", ResourceVersion: "1"},
		Spec: v1.ServiceSpec{
			ClusterIP: fmt.Sprintf("10.101.%d.%d", i/250, i%250+1), ClusterIPs: []string{fmt.Sprintf("10.101.%d.%d", i/250, i%250+1)},
			Ports:           []v1.ServicePort{{Name: "http", Protocol: "TCP", Port: 80}, {Name: "metrics", Protocol: "TCP", Port: 9090}},
			SessionAffinity: "None", InternalTrafficPolicy: ptr(v1.ServiceInternalTrafficPolicyCluster),
		},
	}
	if i%20 == 0 {
		s.Spec.Type, s.Status.LoadBalancer.Ingress = v1.ServiceTypeLoadBalancer, []v1.LoadBalancerIngress{{IP: "203.0.113.7"}}
	}
	if i%50 == 0 {
		s.Spec.SessionAffinity = v1.ServiceAffinityClientIP
	}
	return s
}

// sliceLike is that Service's slice: three endpoints in three zones, hints for one slice
// of ten, and an endpoint that isn't ready for another.
func sliceLike(i int) *discovery.EndpointSlice {
	s := &discovery.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Name: fmt.Sprintf("service-%d-abcde", i), Namespace: "default", UID: "u", ResourceVersion: "1",
			Labels: map[string]string{discovery.LabelServiceName: fmt.Sprintf("service-%d", i)},
		},
		Ports: []discovery.EndpointPort{{Name: ptr("http"), Protocol: ptr(v1.ProtocolTCP), Port: ptr(int32(8080))}},
	}
	for n := range 3 {
		zone := fmt.Sprintf("eu-central-1%c", 'a'+n)
		e := discovery.Endpoint{
			Addresses:  []string{fmt.Sprintf("10.5%d.%d.%d", n, i/250, i%250+1)},
			Conditions: discovery.EndpointConditions{Ready: ptr(true), Serving: ptr(true), Terminating: ptr(false)},
			Zone:       &zone, NodeName: ptr("node"), TargetRef: &v1.ObjectReference{Kind: "Pod", Name: "pod"},
		}
		switch {
		case i%10 == 1:
			e.Hints = &discovery.EndpointHints{ForZones: []discovery.ForZone{{Name: zone}}}
		case i%10 == 2 && n == 2:
			e.Conditions = discovery.EndpointConditions{Ready: ptr(false), Serving: ptr(false), Terminating: ptr(true)}
		}
		s.Endpoints = append(s.Endpoints, e)
	}
	return s
}

// TestMemory: 10,000 Services with their slices, decoded and indexed, stay small.
func TestMemory(t *testing.T) {
	const count = 10_000
	messages := make([][2][]byte, count)
	for i := range messages {
		messages[i] = [2][]byte{message(t, serviceLike(i)), message(t, sliceLike(i))}
	}
	all := resources.OfMember(&decode.Decoder{})
	before := liveHeap()
	d := model.NewData()
	for _, n := range []int{resources.Services, resources.EndpointSlices} {
		for i := range messages {
			o, err := all[n].Decode(messages[i][n])
			if err != nil {
				t.Fatal(err)
			}
			d = all[n].Change(d, o.Item, false, time.Time{})
		}
	}
	took := (liveHeap() - before) / count
	t.Logf("%d bytes for a Service and its slice", took)
	if took > maxPerService {
		t.Errorf("%d bytes for a Service and its slice, want %d at most", took, maxPerService)
	}
	runtime.KeepAlive(d)
	runtime.KeepAlive(messages)
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
