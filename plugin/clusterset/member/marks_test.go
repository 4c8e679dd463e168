package member

import (
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/resources"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// message is an object's protobuf message, without what is around it.
func message(t *testing.T, o runtime.Object) []byte {
	t.Helper()
	_, message, err := decode.Unwrap(apitest.Encode(t, o))
	if err != nil {
		t.Fatal(err)
	}
	return message
}

// TestMarks: other systems' marks are read as they read them; a namespace opts out of
// Cilium's alone, and whether it does may change.
func TestMarks(t *testing.T) {
	type set = map[string]string
	for _, tc := range []struct {
		name                           string
		annotations, labels, namespace set
		want                           bool
	}{
		{name: "nothing"},
		{name: "global", annotations: set{"service.cilium.io/global": "true"}, want: true},
		{name: "global, in capitals", annotations: set{"service.cilium.io/global": "True"}, want: true},
		{name: "global, by its old name", annotations: set{"io.cilium/global-service": "true"}, want: true},
		{name: "the new name counts", annotations: set{"service.cilium.io/global": "false", "io.cilium/global-service": "true"}},
		{name: "not global", annotations: set{"service.cilium.io/global": "false"}},
		{name: "global, what isn't true", annotations: set{"service.cilium.io/global": "1"}},
		{name: "shared alone", annotations: set{"service.cilium.io/shared": "true"}},
		{name: "global and shared", annotations: set{"service.cilium.io/global": "true", "service.cilium.io/shared": "true"}, want: true},
		{name: "not shared", annotations: set{"service.cilium.io/global": "true", "service.cilium.io/shared": "false"}},
		{name: "not shared, in capitals", annotations: set{"service.cilium.io/global": "true", "service.cilium.io/shared": "FALSE"}},
		{name: "shared, what isn't true", annotations: set{"service.cilium.io/global": "true", "service.cilium.io/shared": ""}},
		{name: "not shared, by its old name", annotations: set{"service.cilium.io/global": "true", "io.cilium/shared-service": "false"}},
		{name: "a label isn't an annotation", labels: set{"service.cilium.io/global": "true"}},
		{name: "a namespace that opted out", annotations: set{"service.cilium.io/global": "true"}, namespace: set{"clustermesh.cilium.io/global": "false"}},
		{name: "so, in capitals", annotations: set{"service.cilium.io/global": "true"}, namespace: set{"clustermesh.cilium.io/global": "False"}},
		{name: "a namespace that opted in", annotations: set{"service.cilium.io/global": "true"}, namespace: set{"clustermesh.cilium.io/global": "true"}, want: true},
		{name: "opted in, not global", namespace: set{"clustermesh.cilium.io/global": "true"}},
		{name: "exported", labels: set{"mirror.linkerd.io/exported": "true"}, want: true},
		{name: "exported for discovery", labels: set{"mirror.linkerd.io/exported": "remote-discovery"}, want: true},
		{name: "not exported", labels: set{"mirror.linkerd.io/exported": "false"}},
		{name: "exported, in capitals", labels: set{"mirror.linkerd.io/exported": "TRUE"}},
		{name: "federated", labels: set{"mirror.linkerd.io/federated": "member"}, want: true},
		{name: "federated, another word", labels: set{"mirror.linkerd.io/federated": "true"}},
		{name: "an annotation isn't a label", annotations: set{"mirror.linkerd.io/exported": "true"}},
		{name: "Linkerd's, where Cilium's don't count", labels: set{"mirror.linkerd.io/federated": "member"}, namespace: set{"clustermesh.cilium.io/global": "false"}, want: true},
		{
			name: "both, not shared", annotations: set{"service.cilium.io/global": "true", "service.cilium.io/shared": "false"},
			labels: set{"mirror.linkerd.io/exported": "true"}, want: true,
		},
	} {
		all := resources.OfMember(&decode.Decoder{})
		apply := func(d *model.Data, n int, object runtime.Object) *model.Data {
			o, err := all[n].Decode(message(t, object))
			if err != nil {
				t.Fatal(err)
			}
			return all[n].Change(d, o.Item, false, time.Now())
		}
		s := &v1.Service{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", Annotations: tc.annotations, Labels: tc.labels}}
		d := apply(model.NewData(), resources.Services, s)
		shop := &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Annotations: tc.namespace}}
		if _, exported := d.Exported("web.shop"); exported != tc.want && tc.namespace == nil {
			t.Errorf("%s, namespace unknown: exported %v", tc.name, exported)
		}
		d = apply(d, resources.Namespaces, shop)
		if _, exported := d.Exported("web.shop"); exported != tc.want {
			t.Errorf("%s: exported %v", tc.name, exported)
		}
		if tc.namespace == nil {
			continue
		}
		shop.Annotations = nil
		if _, exported := apply(d, resources.Namespaces, shop).Exported("web.shop"); exported != (tc.want || tc.annotations["service.cilium.io/global"] == "true") {
			t.Errorf("%s, opted in again: exported %v", tc.name, exported)
		}
	}
}
