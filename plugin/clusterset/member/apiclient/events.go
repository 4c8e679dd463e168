package apiclient

import (
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
)

// maxKeptBuffer is how large a buffer a watch keeps for the next event: most are small.
const maxKeptBuffer = 64 << 10

// ObjectFunc decodes the object of an event.
type ObjectFunc func(message []byte, event watch.EventType) (*decode.Object, error)

// eventReader reads the events of a watch. It implements watch.Decoder.
type eventReader struct {
	body   io.ReadCloser
	kind   string
	object ObjectFunc
	failed func(error) // is called with what Decode returns
	buffer []byte
}

// Decode waits for the next event.
func (r *eventReader) Decode() (watch.EventType, runtime.Object, error) {
	event, o, err := r.next()
	if err != nil {
		r.failed(err)
	}
	return event, o, err
}

func (r *eventReader) next() (watch.EventType, runtime.Object, error) {
	event, wrapped, buffer, err := decode.ReadEvent(r.body, r.buffer)
	if err != nil {
		return "", nil, err
	}
	if r.buffer = buffer[:0]; cap(buffer) > maxKeptBuffer {
		r.buffer = nil
	}
	o, err := r.unwrap(watch.EventType(event), wrapped)
	return watch.EventType(event), o, err
}

func (r *eventReader) unwrap(event watch.EventType, wrapped []byte) (runtime.Object, error) {
	kind, message, err := decode.Unwrap(wrapped)
	switch {
	case err != nil:
		return nil, err
	case event == watch.Error && kind == "Status":
		if len(message) > maxError {
			return nil, decode.TooLarge("a Status's bytes", maxError)
		}
		status := new(metav1.Status)
		return status, status.Unmarshal(message)
	case kind != r.kind:
		return nil, fmt.Errorf("%w: %q, not a %s", decode.ErrNotAPI, kind, r.kind)
	}
	switch event {
	case watch.Added, watch.Modified, watch.Deleted, watch.Bookmark:
		return r.object(message, event)
	}
	return nil, fmt.Errorf("%w: event %q", decode.ErrNotAPI, event)
}

// Close ends the watch.
func (r *eventReader) Close() { r.body.Close() }
