package member

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/resources"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// mostMemory is how much the heap may grow while an API does its worst: what is
// held, at most, and the garbage that the collector lets be.
const mostMemory = 256 << 20

// peak watches how much the heap grows, until it is told to stop.
func peak(t *testing.T) (stop func() uint64) {
	t.Helper()
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	runtime.GC()
	first, done, most := heap(), make(chan struct{}), make(chan uint64)
	go func() {
		highest := first
		for {
			select {
			case <-done:
				most <- highest - first
				return
			case <-time.After(10 * time.Millisecond):
				highest = max(highest, heap())
			}
		}
	}()
	return func() uint64 { close(done); return <-most }
}

// zipped is a lot of blanks.
func zipped(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for range 256 {
		_, _ = z.Write(bytes.Repeat([]byte(" "), 1<<20))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// listHead begins a list that promises to be that long.
func listHead(t *testing.T, kind string, size int) []byte {
	t.Helper()
	typed := fmt.Sprintf("\x0a\x02v1\x12%c%s", len(kind), kind)
	head := fmt.Appendf(nil, "k8s\x00\x0a%c%s\x12", len(typed), typed)
	return binary.AppendUvarint(head, uint64(size))
}

// slow are the forms that bring hundreds of thousands of objects, or a whole page.
var slow = map[string]bool{
	"an endless list": true, "an endless list, HTTP/1": true, "an endless list of what isn't read": true, "a streamed list without end": true,
	"new objects without end": true, "large objects in a streamed list": true, "the same page again and again": true,
}

// TestTooLarge: whatever an API sends, a session takes no more than its bounds; it
// ends with a reason, what it had before stays, and the next try has time.
func TestTooLarge(t *testing.T) {
	blanks := bytes.Repeat([]byte(" "), 1<<20)
	packed := zipped(t)
	typed := func(as string, then func(http.ResponseWriter, *http.Request)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", as)
			then(w, r)
		}
	}
	empties := bytes.Repeat([]byte("\x12\x00"), 1<<16)
	// flood sends events for objects that are all new.
	flood := func(w http.ResponseWriter, r *http.Request, kind string, ports int) {
		s := apitest.Service("")
		for n := range ports {
			s.Spec.Ports = append(s.Spec.Ports, v1.ServicePort{Name: fmt.Sprintf("port-%d", n), Port: int32(n)})
		}
		s.Name = "s0000000"
		event := apitest.Event(t, kind, s)
		name := event[bytes.Index(event, []byte(s.Name)):][:len(s.Name)]
		for n := 0; r.Context().Err() == nil; n++ {
			copy(name, fmt.Sprintf("s%07d", n))
			if _, err := w.Write(event); err != nil {
				return
			}
		}
	}
	page := bytes.NewBuffer(nil)
	{
		list := &v1.ServiceList{ListMeta: metav1.ListMeta{ResourceVersion: "1", Continue: "again"}}
		for n := range 10_000 {
			list.Items = append(list.Items, v1.Service{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint(n)}})
		}
		page.Write(apitest.Encode(t, list))
	}
	for _, tc := range []struct {
		name, path string
		handle     http.HandlerFunc
		reason     string
		http1      bool
	}{
		{"a list, compressed", apitest.ServicesPath, typed(apitest.Protobuf, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed)
		}), "server_error", false},
		{"a list, compressed, HTTP/1", apitest.ServicesPath, typed(apitest.Protobuf, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed)
		}), "server_error", true},
		{"an endless list, HTTP/1", apitest.ServicesPath, typed(apitest.Protobuf, func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(listHead(t, "ServiceList", 1<<40))
			apitest.Forever(w, r, append([]byte("\x12\x80\x80\x40"), blanks...))
		}), "too_large", true},
		{"a header, HTTP/1", apitest.ServicesPath, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 1<<20))
		}, "", true},
		{"a probe, compressed", apitest.ProbePath, typed(apitest.Protobuf, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed)
		}), "server_error", false},
		{"blanks in a JSON list", apitest.ServicesPath, typed(apitest.JSON, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"kind":"ServiceList","apiVersion":"v1","items":[`)
			apitest.Forever(w, r, blanks)
		}), "server_error", false},
		{"an endless list", apitest.ServicesPath, typed(apitest.Protobuf, func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(listHead(t, "ServiceList", 1<<40))
			apitest.Forever(w, r, append([]byte("\x12\x80\x80\x40"), blanks...))
		}), "too_large", false},
		{"an endless list of what isn't read", apitest.ServicesPath, typed(apitest.Protobuf, func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(listHead(t, "ServiceList", 1<<40))
			apitest.Forever(w, r, bytes.Repeat([]byte("\x20\x00"), 1<<16))
		}), "too_large", false},
		{"a list of empty objects", apitest.ServicesPath, typed(apitest.Protobuf, func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(listHead(t, "ServiceList", 1<<40))
			apitest.Forever(w, r, empties)
		}), "too_large", false},
		{"an object of 200 MB", apitest.ServicesPath, typed(apitest.Protobuf, func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(append(listHead(t, "ServiceList", 200<<20), binary.AppendUvarint([]byte("\x12"), 200<<20)...))
			apitest.Forever(w, r, blanks)
		}), "too_large", false},
		{"an object of empty ports", apitest.ServicesPath, typed(apitest.Protobuf, func(w http.ResponseWriter, _ *http.Request) {
			spec := bytes.Repeat([]byte("\x0a\x00"), 1<<20)
			object := append(binary.AppendUvarint([]byte("\x12"), uint64(len(spec))), spec...)
			list := append(binary.AppendUvarint([]byte("\x12"), uint64(len(object))), object...)
			_, _ = w.Write(append(listHead(t, "ServiceList", len(list)), list...))
		}), "too_large", false},
		{"an object of empty endpoints", apitest.SlicesPath, typed(apitest.Protobuf, func(w http.ResponseWriter, _ *http.Request) {
			object := bytes.Repeat([]byte("\x12\x00"), 1<<20)
			list := append(binary.AppendUvarint([]byte("\x12"), uint64(len(object))), object...)
			_, _ = w.Write(append(listHead(t, "EndpointSliceList", len(list)), list...))
		}), "too_large", false},
		{"the same page again and again", apitest.ServicesPath, typed(apitest.Protobuf, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(page.Bytes())
		}), "too_large", false},
		{"namespaces without end", apitest.NamespacesPath, typed(apitest.Protobuf, func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(listHead(t, "PartialObjectMetadataList", 1<<40))
			apitest.Forever(w, r, empties)
		}), "too_large", false},
		{"exports without end", apitest.ExportsPath, typed(apitest.Protobuf, func(w http.ResponseWriter, r *http.Request) {
			_, _ = w.Write(listHead(t, "PartialObjectMetadataList", 1<<40))
			apitest.Forever(w, r, empties)
		}), "too_large", false},
		{"a streamed list without end", apitest.ServicesPath + "?watch", func(w http.ResponseWriter, r *http.Request) {
			apitest.BeginWatch(w)
			flood(w, r, "ADDED", 0)
		}, "too_large", false},
		{"large objects in a streamed list", apitest.ServicesPath + "?watch", func(w http.ResponseWriter, r *http.Request) {
			apitest.BeginWatch(w)
			flood(w, r, "MODIFIED", 1000)
		}, "too_large", false},
		{"an event of 200 MB", apitest.ServicesPath + "?watch", func(w http.ResponseWriter, r *http.Request) {
			apitest.BeginWatch(w)
			_, _ = w.Write(binary.BigEndian.AppendUint32(nil, 200<<20))
			apitest.Forever(w, r, blanks)
		}, "too_large", false},
		{"blanks in a JSON watch", apitest.ServicesPath + "?watch", typed(apitest.JSON, func(w http.ResponseWriter, r *http.Request) {
			apitest.Forever(w, r, blanks)
		}), "server_error", false},
		{"new objects without end", apitest.ServicesPath + "?watch", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("sendInitialEvents") != "" {
				http.Error(w, "no streamed lists", http.StatusUnprocessableEntity)
				return
			}
			apitest.BeginWatch(w)
			flood(w, r, "ADDED", 200)
		}, "too_large", false},
		{"an API's versions", apitest.GroupPath, typed(apitest.JSON, func(w http.ResponseWriter, r *http.Request) {
			apitest.Forever(w, r, blanks)
		}), "too_large", false},
		{"a probe's namespace", apitest.ProbePath, typed(apitest.Protobuf, func(w http.ResponseWriter, r *http.Request) {
			apitest.Forever(w, r, blanks)
		}), "too_large", false},
		{"an error's words", apitest.ServicesPath, typed("text/plain", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			apitest.Forever(w, r, bytes.Repeat([]byte("no "), 1<<10))
		}), "forbidden", false},
		{"a Status' words", apitest.ServicesPath, typed(apitest.JSON, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","reason":"Forbidden","message":"`)
			apitest.Forever(w, r, bytes.Repeat([]byte("no "), 1<<10))
		}), "forbidden", false},
		{"a Status' causes", apitest.ServicesPath + "?watch", func(w http.ResponseWriter, r *http.Request) {
			apitest.BeginWatch(w)
			status := append([]byte("k8s\x00\x0a\x0c\x0a\x02v1\x12\x06Status\x12"), binary.AppendUvarint(nil, 2<<20+8)...)
			status = append(append(status, '\x2a'), binary.AppendUvarint(nil, 2<<20)...)
			status = append(status, bytes.Repeat([]byte("\x22\x00"), 1<<20)...)
			raw := append(append([]byte("\x0a"), binary.AppendUvarint(nil, uint64(len(status)))...), status...)
			event := append(append([]byte("\x0a\x05ERROR\x12"), binary.AppendUvarint(nil, uint64(len(raw)))...), raw...)
			_, _ = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(event))), event...))
			<-r.Context().Done()
		}, "", false},
		{"a header", apitest.ServicesPath, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 1<<20))
		}, "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if raceDetector && slow[tc.name] {
				t.Skip("takes ten times as long with the race detector; make e2e has it without")
			}
			most := peak(t)
			a := apitest.Start(t, !tc.http1, map[string]http.HandlerFunc{tc.path: tc.handle})
			s := startMember(t)
			s.SetCredentials(from(a), nil)
			if tc.reason != "" {
				s.await(tc.reason)
			}
			if tc.reason == "too_large" {
				s.until("the session's end", func() bool { v := s.View(); return v.State != Fresh && v.Err != nil })
			} else { // it tries again
				s.until("another try", func() bool { return a.Count(tc.path) > 1 })
			}
			if grown := most(); grown > mostMemory {
				t.Errorf("the heap grew by %d MiB", grown>>20)
			} else {
				t.Logf("the heap grew by %d MiB", grown>>20)
			}
		})
	}
}

// TestTooLargeKeepsData: what was known before is what there is, and stale; the API
// isn't asked again for a long while.
func TestTooLargeKeepsData(t *testing.T) {
	var begin atomic.Bool
	started := make(chan struct{})
	a := apitest.Start(t, true, map[string]http.HandlerFunc{apitest.ServicesPath + "?watch": func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("sendInitialEvents") != "" {
			http.Error(w, "no streamed lists", http.StatusUnprocessableEntity)
			return
		}
		apitest.BeginWatch(w)
		if begin.CompareAndSwap(false, true) {
			<-started
			_, _ = w.Write(binary.BigEndian.AppendUint32(nil, 1<<30))
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	}})
	b := apitest.Start(t, true, nil)
	s := startMember(t)
	s.SetCredentials(from(a), nil)
	<-s.Synced()
	close(started)
	s.await("services", "too_large", "an object")
	s.until("stale data", func() bool { return s.View().State == Stale })
	v := s.View()
	if v.Data.Service("kept.default") == nil || v.Err == nil || !strings.Contains(v.Err.Error(), "more than is accepted") {
		t.Errorf("%+v", v)
	}
	asked, other := a.Count(apitest.ProbePath), startMember(t)
	failing := apitest.Start(t, true, map[string]http.HandlerFunc{apitest.ProbePath: func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}})
	other.SetCredentials(from(failing), nil)
	other.until("tries after any other trouble", func() bool { return failing.Count(apitest.ProbePath) > 3 })
	if again := a.Count(apitest.ProbePath) - asked; again > 0 {
		t.Errorf("asked again %d times", again)
	}
	s.SetCredentials(from(b), nil) // another one is asked at once
	s.until("fresh data", func() bool { return s.View().State == Fresh })
}

// TestPages: a list whose pages never end does.
func TestPages(t *testing.T) {
	l := &listWatch{informer: &informer{session: &session{}}}
	for n := range maxPages {
		if err := l.nextPage(n == 0); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.nextPage(false); failure.ReasonOf(err) != failure.TooLarge {
		t.Errorf("page %d: %v", maxPages+1, err)
	}
	if err := l.nextPage(true); err != nil {
		t.Errorf("another list: %v", err)
	}
}

// TestCost: what is kept of an object counts, in a list and in the data alike.
func TestCost(t *testing.T) {
	large := apitest.Service("large")
	for n := range 2000 {
		large.Spec.Ports = append(large.Spec.Ports, v1.ServicePort{Name: strings.Repeat("x", 63), Port: int32(n)})
	}
	r := resources.OfMember(&decode.Decoder{})[resources.Services]
	d := model.NewData()
	for _, tc := range []struct {
		name        string
		service     *v1.Service
		least, most int
	}{{"small", apitest.Service("small"), 1, 1}, {"large", large, 150, 500}} {
		o, err := r.Decode(message(t, tc.service))
		if err != nil {
			t.Fatal(err)
		}
		i := o.Item
		if got := i.Cost(); got < tc.least || got > tc.most {
			t.Errorf("%s counts as %d", tc.name, got)
		}
		d = r.Change(d, i, false, time.Now())
		if got := r.Cost(d, i.Key); got != i.Cost() {
			t.Errorf("%s counts as %d in the data, %d in a list", tc.name, got, i.Cost())
		}
		if d = r.Change(d, i, true, time.Now()); r.Cost(d, i.Key) != 0 {
			t.Errorf("%s counts when it is gone", tc.name)
		}
	}
}
