package member

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Where one Service, and its slices, are fetched.
const (
	fetchService = "/api/v1/namespaces/default/services"
	fetchSlices  = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
)

// exportsAPI is an API whose Services, slices and ServiceExports change.
type exportsAPI struct {
	*importsAPI
	services map[string]*v1.Service
	exports  map[string]bool
	// held are called, without the lock, when that path has made its response, which is
	// sent after it.
	held map[string]func()
}

func startExportsAPI(t *testing.T) *exportsAPI {
	a := &exportsAPI{
		importsAPI: &importsAPI{
			t: t, changed: make(chan struct{}), served: exportsAndImports("v1beta1"), refused: make(map[string]int),
			slices: make(map[string]*discovery.EndpointSlice), events: make(map[string][][]byte), labels: make(map[string]bool),
		},
		services: make(map[string]*v1.Service), exports: make(map[string]bool), held: make(map[string]func()),
	}
	begin := func(w http.ResponseWriter) { apitest.BeginWatch(w) }
	a.API = apitest.Start(t, true, map[string]http.HandlerFunc{
		apitest.GroupPath: a.group, apitest.VersionPath: a.version,
		apitest.ServicesPath: a.list, fetchService: a.list, apitest.SlicesPath: a.list, fetchSlices: a.list, apitest.ExportsPath: a.list,
		apitest.ServicesPath + "?watch": a.watch(begin), apitest.SlicesPath + "?watch": a.watch(begin), apitest.ExportsPath + "?watch": a.watch(begin),
	})
	return a
}

// list responds with the objects that the selectors of the request select.
func (a *exportsAPI) list(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refuses(w, r) {
		return
	}
	resource := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	meta := metav1.ListMeta{ResourceVersion: a.versionOf(resource)}
	var response []byte
	switch resource {
	case "services":
		list := &v1.ServiceList{ListMeta: meta}
		for name, s := range a.services {
			if field := r.URL.Query().Get("fieldSelector"); field == "" || field == "metadata.name="+name {
				list.Items = append(list.Items, *s)
			}
		}
		response = apitest.Encode(a.t, list)
	case "endpointslices":
		list := &discovery.EndpointSliceList{ListMeta: meta}
		for _, s := range a.slices {
			if label := r.URL.Query().Get("labelSelector"); label == "" || label == discovery.LabelServiceName+"="+s.Labels[discovery.LabelServiceName] {
				list.Items = append(list.Items, *s)
			}
		}
		response = apitest.Encode(a.t, list)
	default:
		list := &metav1.PartialObjectMetadataList{ListMeta: meta}
		list.SetGroupVersionKind(metav1.SchemeGroupVersion.WithKind("PartialObjectMetadataList"))
		for name := range a.exports {
			list.Items = append(list.Items, *exportNamed(name))
		}
		response = apitest.Encode(a.t, list)
	}
	if held := a.held[r.URL.Path]; held != nil {
		delete(a.held, r.URL.Path)
		a.mu.Unlock()
		held()
		a.mu.Lock()
	}
	w.Header().Set("Content-Type", apitest.Protobuf)
	_, _ = w.Write(response)
}

// hold has the next response of a path wait, after it was made, until do returns.
func (a *exportsAPI) hold(path string, do func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held[path] = do
}

func exportNamed(name string) *metav1.PartialObjectMetadata {
	o := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", ResourceVersion: "3"}}
	o.SetGroupVersionKind(metav1.SchemeGroupVersion.WithKind("PartialObjectMetadata"))
	return o
}

// export adds a ServiceExport, or deletes it.
func (a *exportsAPI) export(name string, exists bool) {
	a.change(func() {
		event := "ADDED"
		if a.exports[name] = exists; !exists {
			event = "DELETED"
			delete(a.exports, name)
		}
		a.send("serviceexports", apitest.Event(a.t, event, exportNamed(name)))
	})
}

// service adds or changes a Service of that address and mark, or deletes it where the
// address is "".
func (a *exportsAPI) service(name, address, mark string) {
	s := apitest.Service(name)
	s.Spec.ClusterIP = address
	if mark != "" {
		s.Annotations = map[string]string{mark: "true"}
	}
	a.change(func() {
		event := "MODIFIED"
		switch {
		case address == "":
			event = "DELETED"
			delete(a.services, name)
		case a.services[name] == nil:
			event = "ADDED"
			fallthrough
		default:
			a.services[name] = s
		}
		a.send("services", apitest.Event(a.t, event, s))
	})
}

// slice adds or changes a slice of one endpoint, or deletes it where the address is "".
func (a *exportsAPI) slice(name, of, address string) {
	s := &discovery.EndpointSlice{ObjectMeta: metav1.ObjectMeta{
		Name: name, Namespace: "default", ResourceVersion: "3", Labels: map[string]string{discovery.LabelServiceName: of},
	}, Endpoints: []discovery.Endpoint{{Addresses: []string{address}}}}
	a.change(func() {
		event := "MODIFIED"
		if address == "" {
			event = "DELETED"
			delete(a.slices, name)
		} else {
			a.slices[name] = s
		}
		a.send("endpointslices", apitest.Event(a.t, event, s))
	})
}

func (a *exportsAPI) startMember() *subject {
	s := start(a.t, Options{Name: "c1", OnlyExported: true})
	s.lookAgain = waitImports
	s.SetCredentials(from(a.API), nil)
	return s
}

// describeAll returns the Services with their slices, sorted, and how many of what doesn't
// belong to one are kept.
func describeAll(d *model.Data) string {
	var all []string
	services, endpointSlices := d.Count()
	for s := range d.Services() {
		services--
		endpointSlices -= len(s.Slices)
		var parts []string
		for _, slice := range s.Slices {
			parts = append(parts, fmt.Sprintf("%v", slice.Endpoints[0].Addr))
		}
		slices.Sort(parts)
		all = append(all, fmt.Sprintf("%s%v%v", strings.TrimSuffix(s.Key, ".default"), s.ClusterIPs, parts))
	}
	slices.Sort(all)
	if services+endpointSlices > 0 {
		all = append(all, fmt.Sprintf("and %d, %d", services, endpointSlices))
	}
	return strings.Join(all, " ")
}

// awaitKept waits until the View is Fresh and has those Services and slices.
func (s *subject) awaitKept(want string) {
	s.t.Helper()
	s.until("kept: "+want, func() bool {
		v := s.View()
		return v.State == Fresh && v.Err == nil && describeAll(v.Data) == want
	})
}

const ciliumMark = "service.cilium.io/global"
