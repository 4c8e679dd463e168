package member

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/resources"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// importsAPI is an API whose ServiceImports, imported slices, CRDs and rights change.
type importsAPI struct {
	*apitest.API
	t *testing.T

	mu sync.Mutex
	// changed is closed with each change.
	changed chan struct{}
	// served are the MCS API's resources by version.
	served map[string][]string
	// refused are the statuses of paths that aren't answered.
	refused map[string]int
	imports map[string]string // specs
	slices  map[string]*discovery.EndpointSlice
	// events are those of a watch from the version of a list on, which is their number
	// then.
	events map[string][][]byte
	labels map[string]bool // that slices were asked for by
}

func startImportsAPI(t *testing.T, served map[string][]string) *importsAPI {
	a := &importsAPI{
		t: t, changed: make(chan struct{}), served: served, refused: make(map[string]int), imports: make(map[string]string),
		slices: make(map[string]*discovery.EndpointSlice), events: make(map[string][][]byte), labels: make(map[string]bool),
	}
	replace := map[string]http.HandlerFunc{
		apitest.GroupPath:               a.group,
		apitest.SlicesPath:              a.listSlices,
		apitest.SlicesPath + "?watch":   a.watch(func(w http.ResponseWriter) { apitest.BeginWatch(w) }),
		apitest.ServicesPath:            a.notAsked,
		apitest.NamespacesPath:          a.notAsked,
		apitest.ExportsPath:             a.notAsked,
		apitest.ServicesPath + "?watch": a.notAsked,
	}
	for _, version := range resources.MCSVersions {
		replace[apitest.GroupPath+"/"+version] = a.version
		path := resources.MCSPath(version, "serviceimports")
		replace[path] = a.listImports
		replace[path+"?watch"] = a.watch(func(w http.ResponseWriter) { apitest.RespondJSON(w, "") })
	}
	a.API = apitest.Start(t, true, replace)
	return a
}

func (a *importsAPI) notAsked(_ http.ResponseWriter, r *http.Request) {
	a.t.Errorf("asked for %s", r.URL)
}

// change does what changes the API.
func (a *importsAPI) change(do func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	do()
	close(a.changed)
	a.changed = make(chan struct{})
}

// refuses responds with an error where the path is refused.
func (a *importsAPI) refuses(w http.ResponseWriter, r *http.Request) bool {
	status := a.refused[r.URL.Path]
	if status != 0 {
		http.Error(w, "no", status)
	}
	return status != 0
}

func (a *importsAPI) group(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refuses(w, r) {
		return
	}
	if len(a.served) == 0 {
		http.NotFound(w, r)
		return
	}
	var versions []string
	for version := range a.served {
		versions = append(versions, fmt.Sprintf(`{"version":%q}`, version))
	}
	apitest.RespondJSON(w, `{"versions":[`+strings.Join(versions, ",")+`]}`)
}

func (a *importsAPI) version(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var names []string
	for _, resource := range a.served[r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]] {
		names = append(names, fmt.Sprintf(`{"name":%q}`, resource))
	}
	apitest.RespondJSON(w, `{"resources":[`+strings.Join(names, ",")+`]}`)
}

func (a *importsAPI) listImports(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refuses(w, r) {
		return
	}
	var items []json.RawMessage
	for name, spec := range a.imports {
		items = append(items, json.RawMessage(apitest.Import(name, spec)))
	}
	list := map[string]any{"kind": "ServiceImportList", "items": items, "metadata": map[string]string{"resourceVersion": a.versionOf("serviceimports")}}
	text, err := json.Marshal(list)
	if err != nil {
		a.t.Error(err)
	}
	apitest.RespondJSON(w, string(text))
}

func (a *importsAPI) versionOf(resource string) string { return strconv.Itoa(len(a.events[resource])) }

func (a *importsAPI) listSlices(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.labels[r.URL.Query().Get("labelSelector")] = true
	if a.refuses(w, r) {
		return
	}
	list := &discovery.EndpointSliceList{ListMeta: metav1.ListMeta{ResourceVersion: a.versionOf("endpointslices")}}
	for _, s := range a.slices {
		list.Items = append(list.Items, *s)
	}
	apitest.Respond(a.t, w, list)
}

// watch sends events until the path is refused.
func (a *importsAPI) watch(begin func(http.ResponseWriter)) http.HandlerFunc {
	return apitest.Unstreamed(func(w http.ResponseWriter, r *http.Request) {
		resource := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		from, err := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
		if err != nil {
			a.t.Error(err)
		}
		a.mu.Lock()
		a.labels[r.URL.Query().Get("labelSelector")] = resource == "endpointslices"
		refused := a.refuses(w, r)
		a.mu.Unlock()
		if refused {
			return
		}
		begin(w)
		for {
			a.mu.Lock()
			events, changed, refused := a.events[resource][from:], a.changed, a.refused[r.URL.Path]
			a.mu.Unlock()
			if refused != 0 {
				return
			}
			for _, event := range events {
				_, _ = w.Write(event)
			}
			w.(http.Flusher).Flush()
			from += len(events)
			select {
			case <-changed:
			case <-r.Context().Done():
				return
			}
		}
	})
}

// setImport adds or changes an import, or deletes it where spec is "".
func (a *importsAPI) setImport(name, spec string) {
	a.change(func() {
		event := "MODIFIED"
		switch _, known := a.imports[name]; {
		case spec == "":
			event = "DELETED"
			delete(a.imports, name)
		case !known:
			event = "ADDED"
			fallthrough
		default:
			a.imports[name] = spec
		}
		a.send("serviceimports", []byte(apitest.ImportEvent(event, apitest.Import(name, spec+strings.Repeat("{}", 1-min(len(spec), 1))))))
	})
}

// setSlice adds a slice of one endpoint, or deletes it where its import is "".
func (a *importsAPI) setSlice(name, of, cluster, address string) {
	s := &discovery.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", ResourceVersion: "3", Labels: map[string]string{
			decode.LabelImport: of, "multicluster.kubernetes.io/source-cluster": cluster,
		}},
		Endpoints: []discovery.Endpoint{{Addresses: []string{address}}},
	}
	a.change(func() {
		event := "ADDED"
		if of == "" {
			event = "DELETED"
			delete(a.slices, name)
		} else {
			a.slices[name] = s
		}
		a.send("endpointslices", apitest.Event(a.t, event, s))
	})
}

func (a *importsAPI) send(resource string, event []byte) {
	a.events[resource] = append(a.events[resource], event)
}

// startImports starts a Member of imports, which soon looks for CRDs again.
func (a *importsAPI) startImports() *subject {
	s := start(a.t, Options{Imports: true})
	s.lookAgain = waitImports
	s.SetCredentials(from(a.API), nil)
	return s
}

// describe returns the data's Services with their slices, sorted.
func describe(d *model.Data) string {
	types := [...]string{model.ClusterIP: "ClusterSetIP", model.Headless: "Headless"}
	var all []string
	for s := range d.Services() {
		text := s.Key + " " + types[s.Type]
		for _, addr := range s.ClusterIPs {
			text += " " + addr.String()
		}
		var parts []string
		for _, slice := range s.Slices {
			parts = append(parts, fmt.Sprintf(" %s:%v", slice.Cluster, slice.Endpoints[0].Addr))
		}
		slices.Sort(parts)
		all = append(all, text+strings.Join(parts, ""))
	}
	slices.Sort(all)
	return strings.Join(all, "; ")
}

// awaitImports waits until the View is Fresh and has those imports.
func (s *subject) awaitImports(want string) {
	s.t.Helper()
	s.until("imports: "+want, func() bool {
		v := s.View()
		return v.State == Fresh && v.Err == nil && describe(v.Data) == want
	})
}
