package apiclient

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
)

// TestDecoder: a watch's events are of its kind, or end it.
func TestDecoder(t *testing.T) {
	status := &metav1.Status{Status: "Failure", Reason: metav1.StatusReasonExpired, Code: 410}
	status.SetGroupVersionKind(v1.SchemeGroupVersion.WithKind("Status"))
	var failed error
	read := func(frames ...[]byte) *eventReader {
		return &eventReader{
			encoding: &protobufEvents{body: bytes.NewReader(bytes.Join(frames, nil))}, kind: "Service", failed: func(err error) { failed = err },
			object: func(message []byte, _ watch.EventType) (*decode.Object, error) {
				return new(decode.Decoder).Service(message)
			},
		}
	}
	bookmark := apitest.Service("")
	bookmark.Annotations = map[string]string{metav1.InitialEventsAnnotationKey: "true"}
	r := read(apitest.Event(t, "ADDED", apitest.Service("a")), apitest.Event(t, "BOOKMARK", bookmark), apitest.Event(t, "ERROR", status))
	event, o, err := r.Decode()
	if err != nil || event != watch.Added || o.(*decode.Object).Item.Key != "a.default" || o.(*decode.Object).GetObjectMeta().GetResourceVersion() != "2" || o.(*decode.Object).EndsList {
		t.Errorf("%v %+v %v", event, o, err)
	}
	if event, o, err = r.Decode(); err != nil || event != watch.Bookmark || !o.(*decode.Object).EndsList {
		t.Errorf("%v %+v %v", event, o, err)
	}
	if event, o, err = r.Decode(); err != nil || event != watch.Error || o.(*metav1.Status).Code != 410 {
		t.Errorf("%v %+v %v", event, o, err)
	}
	if _, _, err = r.Decode(); !errors.Is(err, io.EOF) || failed == nil {
		t.Errorf("at the end: %v", err)
	}
	cut := apitest.Event(t, "ADDED", apitest.Service("a"))
	for name, stream := range map[string][]byte{
		"another kind":     apitest.Event(t, "ADDED", apitest.Namespace("a")),
		"an unknown event": apitest.Event(t, "CHANGED", apitest.Service("a")),
		"nothing":          binary.BigEndian.AppendUint32(nil, 0),
		"nonsense":         append(binary.BigEndian.AppendUint32(nil, 4), "\xff\xff\xff\xff"...),
		"a cut event":      cut[:len(cut)-1],
		"a cut length":     cut[:3],
	} {
		if _, _, err := read(stream).Decode(); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
