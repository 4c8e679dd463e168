package decode

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// TestServiceImport: of an import is kept what answers need; what is wrong in it is as if
// it weren't there.
func TestServiceImport(t *testing.T) {
	noPort := []model.Port{{Number: model.NoPort}}
	for _, tc := range []struct {
		name, spec string
		want       model.Service
	}{
		{
			name: "all fields", spec: `{"type":"ClusterSetIP","ips":["10.0.0.1","fd00::1"],"ipFamilies":["IPv4","IPv6"],
				"ports":[{"name":"http","protocol":"TCP","port":80,"appProtocol":"h2c"},{"name":"dns","protocol":"UDP","port":53},{"port":8080}],
				"sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":60}},
				"internalTrafficPolicy":"Local","trafficDistribution":"PreferClose"}`,
			want: model.Service{
				Type: model.ClusterIP, ClusterIPs: addrs("10.0.0.1", "fd00::1"), SessionAffinity: 60, InternalLocal: true, Distribution: model.PreferSameZone,
				Ports: []model.Port{{Name: "http", Protocol: "TCP", Number: 80}, {Name: "dns", Protocol: "UDP", Number: 53}, {Protocol: "TCP", Number: 8080}},
			},
		},
		{name: "affinity without a timeout", spec: `{"sessionAffinity":"ClientIP"}`, want: model.Service{Type: model.ClusterIP, Ports: noPort, SessionAffinity: 10800}},
		{name: "headless", spec: `{"type":"Headless","ips":["10.0.0.1"]}`, want: model.Service{Type: model.Headless, Ports: noPort}},
		{name: "no addresses", spec: `{"type":"ClusterSetIP","ips":[]}`, want: model.Service{Type: model.ClusterIP, Ports: noPort}},
		{
			name: "several of a family, and none", spec: `{"ips":["x","","10.0.0.1","fd00::1","10.0.0.2","::ffff:10.0.0.3","fd00::2"]}`,
			want: model.Service{Type: model.ClusterIP, ClusterIPs: addrs("10.0.0.1", "fd00::1"), Ports: noPort},
		},
		{
			name: "ports that are none", spec: `{"ports":[{"name":"a","port":0},{"name":"b","port":65536},{"name":"c","port":-1},{"name":"d","port":99999999999},{"name":"e","port":1}]}`,
			want: model.Service{Type: model.ClusterIP, Ports: []model.Port{{Name: "e", Protocol: "TCP", Number: 1}}},
		},
		{
			name: "fields of other types", spec: `{"type":5,"ips":"10.0.0.1","ports":[{"name":"a","port":"80"},7,{"name":"b","port":81}],"sessionAffinity":[],"internalTrafficPolicy":{}}`,
			want: model.Service{Type: model.ClusterIP, Ports: []model.Port{{Name: "b", Protocol: "TCP", Number: 81}}},
		},
		{name: "no spec", spec: `null`, want: model.Service{Type: model.ClusterIP, Ports: noPort}},
	} {
		tc.want.Key = "web.default"
		o, err := new(Decoder).ServiceImport([]byte(apitest.Import("web", tc.spec)))
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if diff := cmp.Diff(&tc.want, o.Item.Service, compareAddrs); diff != "" || o.Item.Key != "web.default" || o.version != "2" || o.EndsList {
			t.Errorf("%s: %+v %s", tc.name, o, diff)
		}
	}
	bookmark := `{"kind":"ServiceImport","metadata":{"resourceVersion":"7","annotations":{"k8s.io/initial-events-end":"true"}},"spec":{}}`
	if o, err := new(Decoder).ServiceImport([]byte(bookmark)); err != nil || !o.EndsList || o.version != "7" {
		t.Errorf("a bookmark: %+v %v", o, err)
	}
	if _, err := new(Decoder).ServiceImport([]byte(apitest.Import("web", `{"ports":[{}`+strings.Repeat(",{}", maxParts)+`]}`))); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too many ports: %v", err)
	}
	if _, err := new(Decoder).ServiceImport([]byte(`{"spec":`)); err == nil {
		t.Error("no error for half an import")
	}
}

// TestImportedSlice: a slice is its import's, whatever Service it is of here.
func TestImportedSlice(t *testing.T) {
	for _, tc := range []struct {
		name             string
		labels           map[string]string
		service, cluster string
	}{
		{"imported", map[string]string{LabelImport: "web", labelSourceCluster: "c2", discovery.LabelServiceName: "derived-1"}, "web.shop", "c2"},
		{"of a cluster of two labels", map[string]string{LabelImport: "web", labelSourceCluster: "c2.Eu"}, "web.shop", "c2.Eu"},
		{"of three", map[string]string{LabelImport: "web", labelSourceCluster: "c2.eu.x"}, "web.shop", ""},
		{"with an empty label", map[string]string{LabelImport: "web", labelSourceCluster: "c2..eu"}, "web.shop", ""},
		{"that is no name", map[string]string{LabelImport: "web", labelSourceCluster: "c_2"}, "web.shop", ""},
		{"of no cluster", map[string]string{LabelImport: "web"}, "web.shop", ""},
		{"of a Service", map[string]string{discovery.LabelServiceName: "web"}, "", ""},
	} {
		s := &discovery.EndpointSlice{
			ObjectMeta: metav1.ObjectMeta{Name: "web-1", Namespace: "shop", Labels: tc.labels},
			Endpoints:  []discovery.Endpoint{{Addresses: []string{"10.0.0.1"}}},
		}
		o, err := new(Decoder).ImportedSlice(message(t, s))
		if err != nil || o.Item.Key != "shop/web-1" {
			t.Errorf("%s: %+v %v", tc.name, o, err)
			continue
		}
		if got := o.Item.Slice; (got == nil) != (tc.service == "") || got != nil && (got.Service != tc.service || got.Cluster != tc.cluster || len(got.Endpoints) != 1) {
			t.Errorf("%s: %+v", tc.name, got)
		}
	}
}
