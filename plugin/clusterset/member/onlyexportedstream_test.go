package member

import (
	"net/http"
	"testing"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
)

// streamed sends the objects and the bookmark that ends a streamed list (KEP-3157), which
// becomes a watch without events.
func (a *exportsAPI) streamed(end runtime.Object, objects ...runtime.Object) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		apitest.BeginWatch(w)
		if r.URL.Query().Get("sendInitialEvents") != "" {
			for _, o := range objects {
				_, _ = w.Write(apitest.Event(a.t, "ADDED", o))
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
	if got := s.costs(); got[services] != 1 || got[endpointSlices] != 1 {
		t.Errorf("costs %v", got)
	}
}
