package decode

import (
	"testing"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestHeads: a head says whose an object is, and may say that it is marked where it isn't,
// never the other way round.
func TestHeads(t *testing.T) {
	meta := func(labels, annotations map[string]string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: "web-1", Namespace: "shop", Labels: labels, Annotations: annotations, ResourceVersion: "7"}
	}
	for _, c := range []struct {
		name                string
		labels, annotations map[string]string
		service, slice      Head
	}{
		{name: "neither", service: Head{Service: "web-1.shop"}},
		{
			name: "others", labels: map[string]string{"app": "web"}, annotations: map[string]string{v1.EndpointsLastChangeTriggerTime: "x"},
			service: Head{Service: "web-1.shop"},
		},
		{
			name: "of a Service", labels: map[string]string{discovery.LabelServiceName: "web"},
			service: Head{Service: "web-1.shop"}, slice: Head{Service: "web.shop"},
		},
		{name: "Linkerd", labels: map[string]string{linkerdExported: yes}, service: Head{"web-1.shop", true}},
		{name: "Linkerd, federated", labels: map[string]string{linkerdFederated: linkerdMember}, service: Head{"web-1.shop", true}},
		{name: "Cilium", annotations: map[string]string{ciliumGlobal: yes}, service: Head{"web-1.shop", true}},
		{name: "Cilium, of old", annotations: map[string]string{ciliumGlobalAlias: "TRUE"}, service: Head{"web-1.shop", true}},
		{name: "not shared", annotations: map[string]string{ciliumGlobal: yes, ciliumShared: "false"}, service: Head{"web-1.shop", true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			service := &v1.Service{ObjectMeta: meta(c.labels, c.annotations), Spec: v1.ServiceSpec{ClusterIP: "10.0.0.1"}}
			message, err := service.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			head, err := ServiceHead(message)
			if err != nil || head != c.service {
				t.Errorf("Service: %+v, %v", head, err)
			}
			if o, _ := new(Decoder).Service(message); o.Item.Service.Marked && !head.Marked {
				t.Error("a mark that the head hasn't")
			}
			slice := &discovery.EndpointSlice{ObjectMeta: meta(c.labels, c.annotations), AddressType: discovery.AddressTypeIPv4}
			if message, err = slice.Marshal(); err != nil {
				t.Fatal(err)
			}
			if head, err = SliceHead(message); err != nil || head != c.slice {
				t.Errorf("slice: %+v, %v", head, err)
			}
			for cut := range len(message) {
				_, _ = SliceHead(message[:cut]) // doesn't panic
			}
		})
	}
}

// TestHeadAllocations: a head takes no more than the Key.
func TestHeadAllocations(t *testing.T) {
	service := &v1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", Labels: map[string]string{"app": "web"}}}
	message, err := service.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = ServiceHead(message) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
