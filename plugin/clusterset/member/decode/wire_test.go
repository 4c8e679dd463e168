package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
)

// message is an object's protobuf message, without what is around it.
func message(t *testing.T, o runtime.Object) []byte {
	t.Helper()
	_, message, err := Unwrap(apitest.Encode(t, o))
	if err != nil {
		t.Fatal(err)
	}
	return message
}

func fullMeta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: name, GenerateName: "x-", Namespace: "shop", UID: "u", ResourceVersion: "17", Generation: 3,
		CreationTimestamp: metav1.NewTime(time.Unix(1700000000, 0)), DeletionTimestamp: &metav1.Time{Time: time.Unix(1700000001, 0)},
		Labels:          map[string]string{discovery.LabelServiceName: "web", "other": "x", linkerdFederated: "member"},
		Annotations:     map[string]string{ciliumGlobal: "true", "long": strings.Repeat("x", 5000), metav1.InitialEventsAnnotationKey: "true"},
		OwnerReferences: []metav1.OwnerReference{{Kind: "k", Name: "n"}},
		ManagedFields:   []metav1.ManagedFieldsEntry{{Manager: "m", FieldsV1: metav1.NewFieldsV1(`{"f:a":{}}`)}},
	}
}

// keptMeta is what is read of fullMeta.
func keptMeta(name string) metav1.ObjectMeta {
	m := fullMeta(name)
	m.GenerateName, m.Generation, m.DeletionTimestamp, m.OwnerReferences, m.ManagedFields = "", 0, nil, nil, nil
	delete(m.Labels, "other")
	delete(m.Annotations, "long")
	return m
}

// TestDecode: what is read of objects is what Kubernetes' own encoder wrote of them.
func TestDecode(t *testing.T) {
	s := &v1.Service{ObjectMeta: fullMeta("web"), Spec: v1.ServiceSpec{
		Type: v1.ServiceTypeExternalName, ClusterIP: "10.0.0.1", ClusterIPs: []string{"10.0.0.1", "fd00::1"}, ExternalName: "example.org",
		Ports:    []v1.ServicePort{{Name: "http", Protocol: "TCP", Port: 80, NodePort: 30000, AppProtocol: ptr("h2c")}, {Port: 65535}},
		Selector: map[string]string{"app": "web"}, ExternalIPs: []string{"192.0.2.1"}, LoadBalancerIP: "192.0.2.9",
		SessionAffinity: "ClientIP", SessionAffinityConfig: &v1.SessionAffinityConfig{ClientIP: &v1.ClientIPConfig{TimeoutSeconds: ptr(int32(60))}},
		InternalTrafficPolicy: ptr(v1.ServiceInternalTrafficPolicyLocal), TrafficDistribution: ptr("PreferClose"),
	}, Status: v1.ServiceStatus{LoadBalancer: v1.LoadBalancerStatus{Ingress: []v1.LoadBalancerIngress{
		{IP: "192.0.2.2", Ports: []v1.PortStatus{{Port: 80}}}, {Hostname: "lb.example.org"},
	}}, Conditions: []metav1.Condition{{Type: "x"}}}}
	gotService, err := decodeService(message(t, s))
	wantService := &v1.Service{ObjectMeta: keptMeta("web"), Spec: v1.ServiceSpec{
		Type: s.Spec.Type, ClusterIP: s.Spec.ClusterIP, ClusterIPs: s.Spec.ClusterIPs, ExternalName: s.Spec.ExternalName,
		Ports:           []v1.ServicePort{{Name: "http", Protocol: "TCP", Port: 80}, {Port: 65535}},
		ExternalIPs:     s.Spec.ExternalIPs,
		SessionAffinity: s.Spec.SessionAffinity, SessionAffinityConfig: s.Spec.SessionAffinityConfig,
		InternalTrafficPolicy: s.Spec.InternalTrafficPolicy, TrafficDistribution: s.Spec.TrafficDistribution,
	}, Status: v1.ServiceStatus{LoadBalancer: v1.LoadBalancerStatus{Ingress: []v1.LoadBalancerIngress{{IP: "192.0.2.2"}, {Hostname: "lb.example.org"}}}}}
	if diff := cmp.Diff(wantService, gotService); err != nil || diff != "" {
		t.Errorf("Service: %v %s", err, diff)
	}
	slice := &discovery.EndpointSlice{
		ObjectMeta: fullMeta("web-x"), AddressType: discovery.AddressTypeIPv4,
		Ports: []discovery.EndpointPort{{}, {Name: ptr(""), Protocol: ptr(v1.ProtocolUDP), Port: ptr(int32(53)), AppProtocol: ptr("x")}},
		Endpoints: []discovery.Endpoint{
			{},
			{Addresses: []string{"10.0.0.1", "10.0.0.2"}, Conditions: discovery.EndpointConditions{Ready: ptr(false), Serving: ptr(true)}, Hostname: ptr("db-0"), NodeName: ptr("n")},
			{Addresses: []string{"10.0.0.3"}, Conditions: discovery.EndpointConditions{Ready: ptr(true)}, TargetRef: &v1.ObjectReference{Kind: "Pod", Name: "db-1", Namespace: "shop"}, Zone: ptr("z")},
			{Conditions: discovery.EndpointConditions{Terminating: ptr(true)}, Hints: &discovery.EndpointHints{
				ForZones: []discovery.ForZone{{Name: "a"}, {Name: "b"}}, ForNodes: []discovery.ForNode{{Name: "n"}},
			}},
		},
	}
	gotSlice, err := decodeSlice(message(t, slice))
	wantSlice := &discovery.EndpointSlice{
		ObjectMeta: keptMeta("web-x"), Ports: []discovery.EndpointPort{{}, {Name: ptr(""), Protocol: ptr(v1.ProtocolUDP), Port: ptr(int32(53))}},
		Endpoints: []discovery.Endpoint{
			{},
			{Addresses: []string{"10.0.0.1", "10.0.0.2"}, Conditions: discovery.EndpointConditions{Ready: ptr(false), Serving: ptr(true)}, Hostname: ptr("db-0")},
			{Addresses: []string{"10.0.0.3"}, Conditions: discovery.EndpointConditions{Ready: ptr(true)}, TargetRef: &v1.ObjectReference{Name: "db-1"}, Zone: ptr("z")},
			{Conditions: discovery.EndpointConditions{Terminating: ptr(true)}, Hints: &discovery.EndpointHints{ForZones: []discovery.ForZone{{Name: "a"}, {Name: "b"}}}},
		},
	}
	if diff := cmp.Diff(wantSlice, gotSlice); err != nil || diff != "" {
		t.Errorf("EndpointSlice: %v %s", err, diff)
	}
	gotMeta, err := Metadata(message(t, &v1.Namespace{ObjectMeta: fullMeta("shop")}))
	if diff := cmp.Diff(&metav1.PartialObjectMetadata{ObjectMeta: keptMeta("shop")}, gotMeta); err != nil || diff != "" {
		t.Errorf("Namespace: %v %s", err, diff)
	}
}

// TestReadPage: a list is whole, or it is none.
func TestReadPage(t *testing.T) {
	list := &v1.ServiceList{ListMeta: metav1.ListMeta{ResourceVersion: "7", Continue: "c", RemainingItemCount: ptr(int64(9))}}
	for n := range 100 {
		s := apitest.Service(fmt.Sprint(n))
		s.Annotations = map[string]string{"x": strings.Repeat("x", 37*n)}
		list.Items = append(list.Items, *s)
	}
	content := apitest.Encode(t, list)
	read := func(content []byte, kind string) (names []string, p Page, err error) {
		p, err = ReadPage(bytes.NewReader(content), kind, func(message []byte) error {
			s, err := decodeService(message)
			if err == nil {
				names = append(names, s.Name)
			}
			return err
		})
		return names, p, err
	}
	names, p, err := read(content, "ServiceList")
	if err != nil || len(names) != 100 || names[99] != "99" || p != (Page{"7", "c"}) {
		t.Errorf("%v %v %v", names, p, err)
	}
	if names, p, err = read(apitest.Encode(t, &v1.ServiceList{ListMeta: metav1.ListMeta{ResourceVersion: "8"}}), "ServiceList"); err != nil || names != nil || p.Version != "8" {
		t.Errorf("an empty list: %v %v %v", names, p, err)
	}
	for n := range len(content) - 16 { // what comes after the items says nothing
		if _, _, err := read(content[:n], "ServiceList"); err == nil {
			t.Fatalf("no error for %d of %d bytes", n, len(content))
		}
		if n == 2000 {
			break
		}
	}
	if _, _, err := read(content[:len(content)-40], "ServiceList"); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut in its last item: %v", err)
	}
	if _, _, err := read(content, "EndpointSliceList"); !errors.Is(err, ErrNotAPI) {
		t.Errorf("another kind: %v", err)
	}
	for _, nonsense := range []string{"<html>nothing", "k8s\x00", "k8s\x00\x12\x00", "k8s\x00\x0a\x02\x12\x00\x12\x00", "k8s\x00\x09xxxxxxxx"} {
		if _, _, err := read([]byte(nonsense), "ServiceList"); err == nil {
			t.Errorf("no error for %q", nonsense)
		}
	}
}

// FuzzDecode reads what an API may send: it ends, and allocates no more than its bounds.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("k8s\x00\x0a\x11\x0a\x02v1\x12\x0bServiceList\x12\x02\x12\x00"))
	f.Add([]byte("\x12\x02\x0a\x00\x0a\x00"))
	f.Fuzz(func(_ *testing.T, content []byte) {
		take := func(message []byte) error {
			_, err := new(Decoder).Service(message)
			return err
		}
		_, _ = ReadPage(bytes.NewReader(content), "ServiceList", take)
		_ = take(content)
		_, _ = new(Decoder).Slice(content)
		_, _ = Metadata(content)
		_, _, _ = Unwrap(content)
	})
}
