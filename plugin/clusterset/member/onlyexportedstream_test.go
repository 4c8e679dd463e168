package member

import (
	"net/http"
	"testing"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/resources"
)

// streamed sends the objects and the bookmark that ends a streamed list (KEP-3157), which
// becomes a watch without events.
func (a *exportsAPI) streamed(end runtime.Object, objects ...runtime.Object) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		apitest.BeginWatch(w)
		if r.URL.Query().Get("sendInitialEvents") != "" {
			known := make(map[string]bool)
			for _, o := range objects {
				event, name := "ADDED", o.(metav1.Object).GetName()
				if known[name] {
					event = "MODIFIED"
				}
				known[name] = true
				_, _ = w.Write(apitest.Event(a.t, event, o))
			}
			_, _ = w.Write(apitest.Event(a.t, "BOOKMARK", end))
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	}
}

// TestOnlyExportedStreamed: of streamed lists too, what is exported alone is kept.
func TestOnlyExportedStreamed(t *testing.T) {
	a := startExportsAPI(t)
	a.export("service-1", true)
	end := metav1.ObjectMeta{ResourceVersion: "5", Annotations: map[string]string{metav1.InitialEventsAnnotationKey: "true"}}
	a.Replace(apitest.ServicesPath+"?watch", a.streamed(&v1.Service{ObjectMeta: end}, serviceLike(1), serviceLike(2)))
	a.Replace(apitest.SlicesPath+"?watch", a.streamed(&discovery.EndpointSlice{ObjectMeta: end}, sliceLike(1), sliceLike(2)))
	s := a.startMember()
	s.awaitKept("service-1[10.101.0.2][10.50.0.2]")
	if a.Count(apitest.ServicesPath) != 0 || a.Count(fetchService) != 0 {
		t.Error("listed otherwise")
	}
	if got := s.costs(); got[resources.Services] != 1 || got[resources.EndpointSlices] != 1 {
		t.Errorf("costs %v", got)
	}
}

// TestChangedWhileStreamed: of an object that changes while the list is still coming, the
// last version counts, whichever was dropped.
func TestChangedWhileStreamed(t *testing.T) {
	a := startExportsAPI(t)
	end := metav1.ObjectMeta{ResourceVersion: "5", Annotations: map[string]string{metav1.InitialEventsAnnotationKey: "true"}}
	marked := func(n int) *v1.Service {
		s := serviceLike(n)
		s.Annotations = map[string]string{"service.cilium.io/global": "true"}
		return s
	}
	a.Replace(apitest.ServicesPath+"?watch", a.streamed(&v1.Service{ObjectMeta: end}, serviceLike(1), marked(2), serviceLike(2), marked(1)))
	a.Replace(apitest.SlicesPath+"?watch", a.streamed(&discovery.EndpointSlice{ObjectMeta: end}, sliceLike(1), sliceLike(2)))
	a.startMember().awaitKept("service-1[10.101.0.2][10.50.0.2]")
}
