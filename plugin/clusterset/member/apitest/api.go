// Package apitest is a Kubernetes API for tests: a small one, of which a test may replace
// any response by an attacker's.
package apitest

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	serializer "k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"
)

// The paths that a session asks for.
const (
	ProbePath      = "/api/v1/namespaces/kube-system"
	ServicesPath   = "/api/v1/services"
	SlicesPath     = "/apis/discovery.k8s.io/v1/endpointslices"
	NamespacesPath = "/api/v1/namespaces"
	GroupPath      = "/apis/multicluster.x-k8s.io"
	VersionPath    = GroupPath + "/v1beta1"
	ExportsPath    = VersionPath + "/serviceexports"
	ImportsPath    = VersionPath + "/serviceimports"
)

// The content types.
const (
	Protobuf = "application/vnd.kubernetes.protobuf"
	JSON     = "application/json"
)

// inJSON are the MCS API's versions, resources and ServiceImports, of which there are none.
var inJSON = map[string]string{
	GroupPath:   `{"versions":[{"version":"v1beta1"}]}`,
	VersionPath: `{"resources":[{"name":"serviceexports"},{"name":"serviceimports"}]}`,
	ImportsPath: ImportList(),
}

// API is a member's API, which has one Service, "kept", and one namespace.
type API struct {
	*httptest.Server
	t       *testing.T
	replace map[string]http.HandlerFunc

	mu    sync.Mutex
	asked map[string]int
}

// Start starts one over TLS. replace has the handlers of paths, "PATH?watch" being that of
// a watch.
func Start(t *testing.T, http2 bool, replace map[string]http.HandlerFunc) *API {
	t.Helper()
	a := New(t, replace)
	a.EnableHTTP2 = http2
	a.StartTLS()
	return a
}

// New returns one that isn't started.
func New(t *testing.T, replace map[string]http.HandlerFunc) *API {
	a := &API{t: t, replace: replace, asked: make(map[string]int)}
	a.Server = httptest.NewUnstartedServer(a)
	t.Cleanup(func() {
		if a.URL != "" {
			a.Close()
		}
	})
	return a
}

// Kubeconfig returns a kubeconfig for it, as a Secret has one.
func (a *API) Kubeconfig() []byte {
	return fmt.Appendf(nil, "current-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n"+
		"clusters: [{name: c, cluster: {server: '%s', certificate-authority-data: %s}}]\nusers: [{name: u, user: {token: hunter2}}]\n",
		a.URL, base64.StdEncoding.EncodeToString(a.Authority()))
}

// Authority returns its certificate, in PEM.
func (a *API) Authority() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Certificate().Raw})
}

// Replace has handle answer a path from now on.
func (a *API) Replace(path string, handle http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.replace[path] = handle
}

// Count returns how often a path was asked for.
func (a *API) Count(path string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked[path]
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if r.URL.Query().Get("watch") != "" {
		path += "?watch"
	}
	a.mu.Lock()
	a.asked[path]++
	handle := a.replace[path]
	a.mu.Unlock()
	if handle != nil {
		handle(w, r)
		return
	}
	switch path {
	case ProbePath:
		Respond(a.t, w, Namespace("kube-system"))
	case ServicesPath:
		Respond(a.t, w, &v1.ServiceList{ListMeta: metav1.ListMeta{ResourceVersion: "1"}, Items: []v1.Service{*Service("kept")}})
	case SlicesPath:
		Respond(a.t, w, &discovery.EndpointSliceList{ListMeta: metav1.ListMeta{ResourceVersion: "1"}})
	case NamespacesPath:
		Respond(a.t, w, metadataList("default"))
	case ExportsPath:
		Respond(a.t, w, metadataList())
	case GroupPath, VersionPath, ImportsPath:
		RespondJSON(w, inJSON[path])
	case ImportsPath + "?watch":
		Unstreamed(func(w http.ResponseWriter, r *http.Request) {
			RespondJSON(w, "")
			<-r.Context().Done()
		})(w, r)
	default:
		Unstreamed(func(w http.ResponseWriter, r *http.Request) {
			BeginWatch(w)
			<-r.Context().Done()
		})(w, r)
	}
}

// Unstreamed refuses a streamed list, and has other watches handled by then.
func Unstreamed(then http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("sendInitialEvents") != "" {
			http.Error(w, "no streamed lists", http.StatusUnprocessableEntity)
			return
		}
		then(w, r)
	}
}

// Namespace returns a namespace.
func Namespace(name string) *v1.Namespace {
	return &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, UID: "u-1", ResourceVersion: "1"}}
}

// Service returns a Service in the namespace "default".
func Service(name string) *v1.Service {
	return &v1.Service{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", ResourceVersion: "2"}, Spec: v1.ServiceSpec{ClusterIP: "10.0.0.1"}}
}

func metadataList(names ...string) *metav1.PartialObjectMetadataList {
	list := &metav1.PartialObjectMetadataList{ListMeta: metav1.ListMeta{ResourceVersion: "1"}}
	list.SetGroupVersionKind(metav1.SchemeGroupVersion.WithKind("PartialObjectMetadataList"))
	for _, name := range names {
		list.Items = append(list.Items, metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	return list
}

// Encode returns an object in Kubernetes' protobuf.
func Encode(t *testing.T, o runtime.Object) []byte {
	t.Helper()
	if o.GetObjectKind().GroupVersionKind().Empty() {
		kinds, _, err := scheme.Scheme.ObjectKinds(o)
		if err != nil {
			t.Fatal(err)
		}
		o.GetObjectKind().SetGroupVersionKind(kinds[0])
	}
	var b bytes.Buffer
	if err := serializer.NewSerializer(scheme.Scheme, scheme.Scheme).Encode(o, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Respond writes an object.
func Respond(t *testing.T, w http.ResponseWriter, o runtime.Object) {
	w.Header().Set("Content-Type", Protobuf)
	_, _ = w.Write(Encode(t, o))
}

// RespondJSON writes JSON, and leaves the response open.
func RespondJSON(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", JSON)
	_, _ = io.WriteString(w, text)
	w.(http.Flusher).Flush()
}

// Import returns a ServiceImport in the namespace "default", in JSON, with that spec.
func Import(name, spec string) string {
	return fmt.Sprintf(`{"apiVersion":"multicluster.x-k8s.io/v1beta1","kind":"ServiceImport",`+
		`"metadata":{"name":%q,"namespace":"default","resourceVersion":"2"},"spec":%s}`, name, spec)
}

// Imports responds with a list of ServiceImports.
func Imports(imports ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { RespondJSON(w, ImportList(imports...)) }
}

// ImportList returns a list of ServiceImports, its keys in the API servers' order.
func ImportList(imports ...string) string {
	return fmt.Sprintf(`{"apiVersion":"multicluster.x-k8s.io/v1beta1","items":[%s],"kind":"ServiceImportList","metadata":{"continue":"","resourceVersion":"1"}}`+"\n",
		strings.Join(imports, ","))
}

// ImportEvent returns an event of a watch of ServiceImports.
func ImportEvent(event, object string) string {
	return fmt.Sprintf(`{"type":%q,"object":%s}`+"\n", event, object)
}

// Event returns an event of a watch.
func Event(t *testing.T, event string, o runtime.Object) []byte {
	t.Helper()
	e := &metav1.WatchEvent{Type: event, Object: runtime.RawExtension{Raw: Encode(t, o)}}
	content, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(content))), content...)
}

// BeginWatch begins the response to a watch.
func BeginWatch(w http.ResponseWriter) {
	w.Header().Set("Content-Type", Protobuf+";stream=watch")
	w.(http.Flusher).Flush()
}

// Forever writes chunk again and again until the client is gone.
func Forever(w http.ResponseWriter, r *http.Request, chunk []byte) {
	for r.Context().Err() == nil {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}
