package apiclient

import (
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
)

// ObjectFunc decodes the object of an event; nil is one that nobody needs to hear of.
type ObjectFunc func(message []byte, event watch.EventType) (*decode.Object, error)

// eventReader reads the events of a watch, whose body it closes. It implements
// watch.Decoder.
type eventReader struct {
	io.Closer
	encoding
	kind   string
	object ObjectFunc
	failed func(error) // is called with what Decode returns
}

// Decode waits for the next event that has an object.
func (r *eventReader) Decode() (watch.EventType, runtime.Object, error) {
	for {
		event, kind, message, err := r.next()
		var o runtime.Object
		if err == nil {
			o, err = r.objectOf(watch.EventType(event), kind, message)
		}
		if err != nil {
			r.failed(err)
		}
		if err != nil || o != nil {
			return watch.EventType(event), o, err
		}
	}
}

func (r *eventReader) objectOf(event watch.EventType, kind string, message []byte) (runtime.Object, error) {
	switch {
	case event == watch.Error && kind == "Status":
		if len(message) > maxError {
			return nil, decode.TooLarge("a Status's bytes", maxError)
		}
		return r.status(message)
	case kind != r.kind:
		return nil, fmt.Errorf("%w: %q, not a %s", decode.ErrNotAPI, kind, r.kind)
	}
	switch event {
	case watch.Added, watch.Modified, watch.Deleted, watch.Bookmark:
		o, err := r.object(message, event)
		if o == nil {
			return nil, err // not a nil of that type
		}
		return o, err
	}
	return nil, fmt.Errorf("%w: event %q", decode.ErrNotAPI, event)
}

// Close ends the watch.
func (r *eventReader) Close() { _ = r.Closer.Close() }
