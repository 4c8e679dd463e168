package decode

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

var compareAddrs = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

func ptr[T any](v T) *T { return &v }

func addrs(texts ...string) (all []netip.Addr) {
	for _, text := range texts {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}

func TestFromService(t *testing.T) {
	noPort := []model.Port{{Number: model.NoPort}}
	tests := []struct {
		name string
		meta metav1.ObjectMeta
		spec v1.ServiceSpec
		want model.Service
	}{
		{
			name: "both families, named ports",
			spec: v1.ServiceSpec{
				Type: v1.ServiceTypeLoadBalancer, ClusterIP: "10.0.0.1", ClusterIPs: []string{"10.0.0.1", "fd00::1"},
				Ports: []v1.ServicePort{{Name: "http", Protocol: "TCP", Port: 80}, {Name: "dns", Protocol: "UDP", Port: 53}},
			},
			want: model.Service{
				Type: model.ClusterIP, ClusterIPs: addrs("10.0.0.1", "fd00::1"),
				Ports: []model.Port{{Name: "http", Protocol: "TCP", Number: 80}, {Name: "dns", Protocol: "UDP", Number: 53}},
			},
		},
		{name: "old: no ClusterIPs", spec: v1.ServiceSpec{ClusterIP: "10.0.0.1"}, want: model.Service{Type: model.ClusterIP, ClusterIPs: addrs("10.0.0.1"), Ports: noPort}},
		{name: "old: headless", spec: v1.ServiceSpec{ClusterIP: "None"}, want: model.Service{Type: model.Headless, Ports: noPort}},
		{name: "headless", spec: v1.ServiceSpec{ClusterIPs: []string{"None"}}, want: model.Service{Type: model.Headless, Ports: noPort}},
		{
			name: "external", spec: v1.ServiceSpec{Type: v1.ServiceTypeExternalName, ExternalName: "example.org"},
			want: model.Service{Type: model.External, ExternalName: "example.org", Ports: noPort},
		},
		{
			name: "addresses that are none, or written oddly", spec: v1.ServiceSpec{ClusterIPs: []string{"", "x", "::ffff:10.0.0.1", "fe80::1%eth0"}},
			want: model.Service{Type: model.ClusterIP, ClusterIPs: addrs("10.0.0.1", "fe80::1"), Ports: noPort},
		},
		{
			name: "Cilium's mark", meta: metav1.ObjectMeta{Annotations: map[string]string{"service.cilium.io/global": "true"}},
			want: model.Service{Type: model.ClusterIP, Ports: noPort, Marked: true, MarkedByCilium: true, Marks: model.CiliumGlobal},
		},
		{
			name: "no mark", meta: metav1.ObjectMeta{
				Annotations: map[string]string{"service.cilium.io/global": "false", "mirror.linkerd.io/exported": "true"},
				Labels:      map[string]string{"mirror.linkerd.io/exported": "false", "service.cilium.io/global": "true"},
			},
			want: model.Service{Type: model.ClusterIP, Ports: noPort},
		},
		{
			name: "Linkerd's mark", meta: metav1.ObjectMeta{Labels: map[string]string{"mirror.linkerd.io/exported": "true"}},
			want: model.Service{Type: model.ClusterIP, Ports: noPort, Marked: true, Marks: model.LinkerdExported},
		},
		{
			name: "Linkerd's other mark", meta: metav1.ObjectMeta{Labels: map[string]string{"mirror.linkerd.io/exported": "remote-discovery"}},
			want: model.Service{Type: model.ClusterIP, Ports: noPort, Marked: true, Marks: model.LinkerdDiscovery},
		},
		{
			name: "all marks, of which Cilium's keep it to its cluster", meta: metav1.ObjectMeta{
				Annotations: map[string]string{"service.cilium.io/global": "true", "service.cilium.io/shared": "false", "service.cilium.io/affinity": "Local"},
				Labels:      map[string]string{"mirror.linkerd.io/federated": "member"},
			},
			want: model.Service{
				Type: model.ClusterIP, Ports: noPort, Marked: true, Marks: model.CiliumGlobal | model.CiliumUnshared | model.LinkerdFederated,
				CiliumAffinity: model.AffinityLocal,
			},
		},
		{
			name: "Cilium's affinity, by its old name", meta: metav1.ObjectMeta{Annotations: map[string]string{"io.cilium/service-affinity": "remote"}},
			want: model.Service{Type: model.ClusterIP, Ports: noPort, CiliumAffinity: model.AffinityRemote},
		},
		{
			name: "Cilium's affinity, unknown", meta: metav1.ObjectMeta{Annotations: map[string]string{"service.cilium.io/affinity": "nearest"}},
			want: model.Service{Type: model.ClusterIP, Ports: noPort},
		},
		{
			name: "external IPs", spec: v1.ServiceSpec{ExternalIPs: []string{"192.0.2.1", "x", "2001:db8::1"}},
			want: model.Service{Type: model.ClusterIP, Ports: noPort, Outside: &model.Outside{ExternalIPs: addrs("192.0.2.1", "2001:db8::1")}},
		},
		{
			name: "session affinity", spec: v1.ServiceSpec{
				SessionAffinity: "ClientIP", SessionAffinityConfig: &v1.SessionAffinityConfig{ClientIP: &v1.ClientIPConfig{TimeoutSeconds: ptr(int32(60))}},
			},
			want: model.Service{Type: model.ClusterIP, Ports: noPort, SessionAffinity: 60},
		},
		{
			name: "session affinity, of the default time", spec: v1.ServiceSpec{SessionAffinity: "ClientIP"},
			want: model.Service{Type: model.ClusterIP, Ports: noPort, SessionAffinity: 10800},
		},
		{
			name: "no session affinity", spec: v1.ServiceSpec{SessionAffinity: "None"},
			want: model.Service{Type: model.ClusterIP, Ports: noPort},
		},
		{
			name: "traffic of the own cluster", spec: v1.ServiceSpec{InternalTrafficPolicy: ptr(v1.ServiceInternalTrafficPolicyLocal)},
			want: model.Service{Type: model.ClusterIP, Ports: noPort, InternalLocal: true},
		},
		{
			name: "traffic to the same zone, and all of the cluster", spec: v1.ServiceSpec{
				TrafficDistribution: ptr("PreferClose"), InternalTrafficPolicy: ptr(v1.ServiceInternalTrafficPolicyCluster),
			},
			want: model.Service{Type: model.ClusterIP, Ports: noPort, Distribution: model.PreferSameZone},
		},
		{
			name: "traffic to the same node", spec: v1.ServiceSpec{TrafficDistribution: ptr("PreferSameNode")},
			want: model.Service{Type: model.ClusterIP, Ports: noPort, Distribution: model.PreferSameNode},
		},
		{
			name: "traffic of a later Kubernetes", spec: v1.ServiceSpec{TrafficDistribution: ptr("PreferNew")},
			want: model.Service{Type: model.ClusterIP, Ports: noPort},
		},
	}
	d := &Decoder{}
	for _, tc := range tests {
		tc.meta.Name, tc.meta.Namespace, tc.want.Key = "web", "shop", "web.shop"
		if tc.want.Type == model.ClusterIP && tc.want.ClusterIPs == nil {
			tc.want.ClusterIPs = []netip.Addr{}
		}
		got := d.fromService(&v1.Service{ObjectMeta: tc.meta, Spec: tc.spec})
		if diff := cmp.Diff(&tc.want, got.Service, compareAddrs); diff != "" || got.Key != "web.shop" {
			t.Errorf("%s: %s %s", tc.name, got.Key, diff)
		}
	}
}

// TestLoadBalancers: their addresses and hostnames are kept.
func TestLoadBalancers(t *testing.T) {
	s := &v1.Service{Status: v1.ServiceStatus{LoadBalancer: v1.LoadBalancerStatus{Ingress: []v1.LoadBalancerIngress{
		{IP: "192.0.2.1"}, {Hostname: "lb.example.org"}, {IP: "2001:db8::1"}, {},
	}}}}
	want := &model.Outside{LoadBalancers: addrs("192.0.2.1", "2001:db8::1"), Hostnames: []string{"lb.example.org"}}
	if diff := cmp.Diff(want, new(Decoder).fromService(s).Service.Outside, compareAddrs); diff != "" {
		t.Error(diff)
	}
}

// TestDetails: equal details are kept once; an API that never sends the same one twice
// has no more than a bound kept of them.
func TestDetails(t *testing.T) {
	in := new(detailInterner)
	endpoint := func(zone string, zones ...string) *discovery.Endpoint {
		e := &discovery.Endpoint{Zone: &zone, Hints: &discovery.EndpointHints{}}
		for _, name := range zones {
			e.Hints.ForZones = append(e.Hints.ForZones, discovery.ForZone{Name: name})
		}
		return e
	}
	if one, other := in.detail(endpoint("a", "b", "c")), in.detail(endpoint("a", "b", "c")); one != other {
		t.Error("equal details are kept twice")
	}
	if one, other := in.detail(endpoint("a", "b", "c")), in.detail(endpoint("a", "bc")); one == other {
		t.Error("different details are one")
	}
	long := in.detail(endpoint("a", strings.Split("b,c,d,e,f,g,h,i,j", ",")...))
	if len(long.ForZones) != maxForZones {
		t.Errorf("%d zones", len(long.ForZones))
	}
	if d := in.detail(endpoint(strings.Repeat("a", maxZone+1))); d != nil {
		t.Errorf("%+v", d)
	}
	for n := range 2 * maxDetails {
		in.detail(endpoint(strconv.Itoa(n)))
	}
	if d := in.detail(endpoint("last")); d != nil || len(in.known) != maxDetails {
		t.Errorf("%+v, %d are known", d, len(in.known))
	}
	last := endpoint("last")
	last.Conditions.Terminating = ptr(true)
	if d := in.detail(last); d == nil || !d.Terminating || d.Zone != "" {
		t.Errorf("%+v", d)
	}
}

func TestFromSlice(t *testing.T) {
	noPort := []model.Port{{Number: model.NoPort}}
	labels := map[string]string{discovery.LabelServiceName: "web"}
	tests := []struct {
		name  string
		slice discovery.EndpointSlice
		want  *model.Slice
	}{
		{name: "of no service", slice: discovery.EndpointSlice{Endpoints: []discovery.Endpoint{{Addresses: []string{"10.0.0.1"}}}}},
		{name: "empty", slice: discovery.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Labels: labels}}, want: &model.Slice{Ports: noPort}},
		{
			name: "ready, not ready, and unknown",
			slice: discovery.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Endpoints: []discovery.Endpoint{
				{Addresses: []string{"10.0.0.1"}, Conditions: discovery.EndpointConditions{Ready: ptr(true)}},
				{Addresses: []string{"10.0.0.2"}, Conditions: discovery.EndpointConditions{Ready: ptr(false), Serving: ptr(true), Terminating: ptr(true)}},
				{Addresses: []string{"10.0.0.3", "10.0.0.4"}, Hostname: ptr("db-0")},
			}},
			want: &model.Slice{Ports: noPort, Endpoints: []model.Endpoint{
				{Addr: netip.MustParseAddr("10.0.0.1")},
				{Addr: netip.MustParseAddr("10.0.0.3"), Hostname: "db-0"}, {Addr: netip.MustParseAddr("10.0.0.4"), Hostname: "db-0"},
			}, NotReady: &[]model.Endpoint{{Addr: netip.MustParseAddr("10.0.0.2"), Detail: &model.EndpointDetail{Terminating: true}}}},
		},
		{
			name: "published though not serving, zones and hints; nodes aren't kept",
			slice: discovery.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Endpoints: []discovery.Endpoint{
				{Addresses: []string{"10.0.0.1"}, Conditions: discovery.EndpointConditions{Ready: ptr(true), Serving: ptr(false), Terminating: ptr(true)}},
				{
					Addresses: []string{"10.0.0.2"}, Zone: ptr("a"), NodeName: ptr("n"),
					Hints: &discovery.EndpointHints{ForZones: []discovery.ForZone{{Name: "a"}, {Name: "b"}}, ForNodes: []discovery.ForNode{{Name: "n"}}},
				},
				{Addresses: []string{"10.0.0.3"}, Conditions: discovery.EndpointConditions{Ready: ptr(false), Serving: ptr(false)}, Zone: ptr("b")},
			}},
			want: &model.Slice{Ports: noPort, Endpoints: []model.Endpoint{
				{Addr: netip.MustParseAddr("10.0.0.1"), Detail: &model.EndpointDetail{NotServing: true, Terminating: true}},
				{Addr: netip.MustParseAddr("10.0.0.2"), Detail: &model.EndpointDetail{Zone: "a", ForZones: []string{"a", "b"}}},
			}, NotReady: &[]model.Endpoint{{Addr: netip.MustParseAddr("10.0.0.3"), Detail: &model.EndpointDetail{NotServing: true, Zone: "b"}}}},
		},
		{
			name: "names for addresses",
			slice: discovery.EndpointSlice{
				ObjectMeta: metav1.ObjectMeta{Labels: labels}, AddressType: discovery.AddressTypeFQDN,
				Endpoints: []discovery.Endpoint{{Addresses: []string{"example.org"}}},
			},
			want: &model.Slice{Ports: noPort},
		},
		{
			name: "ports",
			slice: discovery.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Ports: []discovery.EndpointPort{
				{}, {Name: ptr("http"), Protocol: ptr(v1.ProtocolTCP), Port: ptr(int32(8080))},
			}},
			want: &model.Slice{Ports: []model.Port{{Number: model.NoPort}, {Name: "http", Protocol: "TCP", Number: 8080}}},
		},
	}
	d := &Decoder{}
	for _, tc := range tests {
		tc.slice.Name, tc.slice.Namespace = "web-x", "shop"
		if tc.want != nil {
			tc.want.Key, tc.want.Service = "shop/web-x", "web.shop"
		}
		got := d.fromSlice(&tc.slice, discovery.LabelServiceName)
		if diff := cmp.Diff(tc.want, got.Slice, compareAddrs); diff != "" || got.Key != "shop/web-x" {
			t.Errorf("%s: %s %s", tc.name, got.Key, diff)
		}
	}
}

func TestTriggerTime(t *testing.T) {
	when := time.Date(2026, 11, 21, 4, 5, 6, 7000, time.UTC)
	for text, want := range map[string]time.Time{
		when.Format(time.RFC3339Nano): when, "": {}, "yesterday": {},
	} {
		if got := triggerTime(map[string]string{"endpoints.kubernetes.io/last-change-trigger-time": text}); !got.Equal(want) {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestPortsAreShared(t *testing.T) {
	in := &portInterner{}
	one := in.portList([]model.Port{{Name: "http", Protocol: "TCP", Number: 80}})
	other := in.portList([]model.Port{{Name: "http", Protocol: "TCP", Number: 80}})
	if &one[0] != &other[0] {
		t.Error("equal ports are kept twice")
	}
	for n := range int32(2 * maxInterned) {
		in.portList([]model.Port{{Number: n}})
	}
	if len(in.known) > maxInterned {
		t.Errorf("%d are remembered", len(in.known))
	}
}

// TestEndpointPodNames: an endpoint without a hostname has its pod's name where the
// member's own kubernetes plugin does so.
func TestEndpointPodNames(t *testing.T) {
	slice := &discovery.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Name: "db-x", Namespace: "shop", Labels: map[string]string{discovery.LabelServiceName: "db"}},
		Endpoints: []discovery.Endpoint{
			{Addresses: []string{"10.0.0.1"}, Hostname: ptr("db-0"), TargetRef: &v1.ObjectReference{Name: "pod-0"}},
			{Addresses: []string{"10.0.0.2"}, Hostname: ptr(""), TargetRef: &v1.ObjectReference{Name: "db-1"}},
			{Addresses: []string{"10.0.0.3"}, TargetRef: &v1.ObjectReference{}},
		},
	}
	for podNames, want := range map[bool]string{false: "db-0 - -", true: "db-0 db-1 -"} {
		d := &Decoder{PodNames: podNames}
		o, err := d.Slice(message(t, slice))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range o.Item.Slice.Endpoints {
			name := e.Hostname
			if name == "" {
				name = "-"
			}
			got = append(got, name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("with podNames %v: %v, want %s", podNames, got, want)
		}
	}
}
