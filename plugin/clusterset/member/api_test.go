package member

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
	"time"

	"github.com/prometheus/client_golang/prometheus"
	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	serializer "k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"
)

// The paths that a session asks.
const (
	probePath    = "/api/v1/namespaces/kube-system"
	servicesPath = "/api/v1/services"
	slicesPath   = "/apis/discovery.k8s.io/v1/endpointslices"
	listPath     = "/api/v1/namespaces"
	groupPath    = "/apis/multicluster.x-k8s.io"
	exportsPath  = groupPath + "/v1beta1/serviceexports"
)

const (
	asProtobuf = "application/vnd.kubernetes.protobuf"
	asJSON     = "application/json"
)

// strangeAPI is a member's API that answers as a small one would, but for the paths
// that a test has taken over: there it is the attacker.
type strangeAPI struct {
	*httptest.Server
	t       *testing.T
	strange map[string]http.HandlerFunc

	mu    sync.Mutex
	asked map[string]int
}

// startAPI starts one over TLS; strange has the handlers of paths, "PATH?watch" being
// that of a watch.
func startAPI(t *testing.T, http2 bool, strange map[string]http.HandlerFunc) *strangeAPI {
	t.Helper()
	a := &strangeAPI{t: t, strange: strange, asked: make(map[string]int)}
	a.Server = httptest.NewUnstartedServer(a)
	a.EnableHTTP2 = http2
	a.StartTLS()
	t.Cleanup(a.Close)
	return a
}

// credentials are a kubeconfig for it, as a Secret has one.
func (a *strangeAPI) credentials() Credentials {
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Certificate().Raw})
	return Credentials{Kubeconfig: fmt.Appendf(nil, "current-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n"+
		"clusters: [{name: c, cluster: {server: '%s', certificate-authority-data: %s}}]\nusers: [{name: u, user: {token: hunter2}}]\n",
		a.URL, base64.StdEncoding.EncodeToString(ca))}
}

func (a *strangeAPI) count(path string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked[path]
}

func (a *strangeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if r.URL.Query().Get("watch") != "" {
		path += "?watch"
	}
	a.mu.Lock()
	a.asked[path]++
	a.mu.Unlock()
	if handle := a.strange[path]; handle != nil {
		handle(w, r)
		return
	}
	switch path {
	case probePath:
		answer(a.t, w, namespace("kube-system"))
	case servicesPath:
		answer(a.t, w, &v1.ServiceList{ListMeta: metav1.ListMeta{ResourceVersion: "1"}, Items: []v1.Service{*service("kept")}})
	case slicesPath:
		answer(a.t, w, &discovery.EndpointSliceList{ListMeta: metav1.ListMeta{ResourceVersion: "1"}})
	case listPath:
		answer(a.t, w, partialList("default"))
	case exportsPath:
		answer(a.t, w, partialList())
	case groupPath:
		w.Header().Set("Content-Type", asJSON)
		_, _ = io.WriteString(w, `{"versions":[{"version":"v1beta1"}]}`)
	default:
		if r.URL.Query().Get("sendInitialEvents") != "" {
			http.Error(w, "no streamed lists", http.StatusUnprocessableEntity)
			return
		}
		w.Header().Set("Content-Type", asProtobuf+";stream=watch")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
}

func namespace(name string) *v1.Namespace {
	return &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, UID: "u-1", ResourceVersion: "1"}}
}

func service(name string) *v1.Service {
	return &v1.Service{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default", ResourceVersion: "2"}, Spec: v1.ServiceSpec{ClusterIP: "10.0.0.1"}}
}

func partialList(names ...string) *metav1.PartialObjectMetadataList {
	list := &metav1.PartialObjectMetadataList{ListMeta: metav1.ListMeta{ResourceVersion: "1"}}
	list.SetGroupVersionKind(metav1.SchemeGroupVersion.WithKind("PartialObjectMetadataList"))
	for _, name := range names {
		list.Items = append(list.Items, metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Name: name}})
	}
	return list
}

// inWire is an object in Kubernetes' protobuf.
func inWire(t *testing.T, o runtime.Object) []byte {
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

func answer(t *testing.T, w http.ResponseWriter, o runtime.Object) {
	w.Header().Set("Content-Type", asProtobuf)
	_, _ = w.Write(inWire(t, o))
}

// frame is an event of a watch.
func frame(t *testing.T, event string, o runtime.Object) []byte {
	t.Helper()
	e := &metav1.WatchEvent{Type: event, Object: runtime.RawExtension{Raw: inWire(t, o)}}
	content, err := e.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(content))), content...)
}

// begin begins the answer to a watch.
func beginWatch(w http.ResponseWriter) {
	w.Header().Set("Content-Type", asProtobuf+";stream=watch")
	w.(http.Flusher).Flush()
}

// forever writes what it is given until the client has gone.
func forever(w http.ResponseWriter, r *http.Request, chunk []byte) {
	for r.Context().Err() == nil {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// subject is a Member, with what it told.
type subject struct {
	*Member
	t       *testing.T
	metrics Metrics

	mu   sync.Mutex
	told []string
}

func startMember(t *testing.T) *subject {
	t.Helper()
	gauge := func() prometheus.Gauge { return prometheus.NewGauge(prometheus.GaugeOpts{}) }
	s := &subject{t: t}
	s.metrics = Metrics{
		Services: gauge(), Slices: gauge(), Expires: gauge(), Lists: prometheus.NewCounter(prometheus.CounterOpts{}),
		Programming: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "programming"}),
	}
	for i := range s.metrics.State {
		s.metrics.State[i] = gauge()
	}
	for i := range s.metrics.Troubles {
		s.metrics.Troubles[i] = prometheus.NewCounter(prometheus.CounterOpts{})
	}
	s.Member = Start(Options{Name: "c1", Log: s, Metrics: s.metrics, Gate: make(chan struct{}, 4)})
	t.Cleanup(s.Stop)
	return s
}

func (s *subject) Infof(format string, args ...any)    { s.tell(format, args...) }
func (s *subject) Warningf(format string, args ...any) { s.tell(format, args...) }
func (s *subject) Errorf(format string, args ...any)   { s.tell(format, args...) }

func (s *subject) tell(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = append(s.told, fmt.Sprintf(format, args...))
}

func (s *subject) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.told...)
}

// await waits until a line that it told has the words.
func (s *subject) await(words ...string) {
	s.t.Helper()
	s.until(strings.Join(words, " ... "), func() bool {
		for _, line := range s.lines() {
			found := true
			for _, w := range words {
				found = found && strings.Contains(line, w)
			}
			if found {
				return true
			}
		}
		return false
	})
}

// until waits for what takes some seconds at most, however busy the machine is.
func (s *subject) until(what string, done func() bool) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%s: not within a minute; told: %q, view: %+v", what, s.lines(), s.View())
		}
	}
}
