package member

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

// The forms of answers. All that a session reads is in protobuf but for the names
// of an API's versions.
const (
	inProtobuf = "application/vnd.kubernetes.protobuf"
	inJSON     = "application/json"
)

// client asks one API, over connections of its own.
type client struct{ *rest.RESTClient }

func newClient(config *rest.Config, c *conns, token *atomic.Pointer[string]) (*client, error) {
	through, err := newHTTPClient(config, c, token)
	if err != nil {
		return nil, err
	}
	config = rest.CopyConfig(config)
	config.GroupVersion, config.NegotiatedSerializer = &v1.SchemeGroupVersion, scheme.Codecs // of errors
	inner, err := rest.RESTClientForConfigAndClient(config, through)
	return &client{inner}, err
}

// get begins a request. client-go would try again by itself, after whatever time a
// Retry-After header says.
func (c *client) get(path, form string) *rest.Request {
	return c.Get().AbsPath(path).SetHeader("Accept", form).MaxRetries(0)
}

// small asks for what isn't large.
func (c *client) small(ctx context.Context, path, form string) ([]byte, error) {
	body, err := c.get(path, form).Stream(ctx)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(&bounded{body, maxSmall, tooLarge("bytes", maxSmall)})
}

// namespace asks for one namespace.
func (c *client) namespace(ctx context.Context, name string) (*metav1.PartialObjectMetadata, error) {
	content, err := c.small(ctx, namespacesPath+"/"+name, inProtobuf)
	if err != nil {
		return nil, err
	}
	_, message, err := unwrap(content)
	if err != nil {
		return nil, err
	}
	return decodeMeta(message)
}

// partial asks for the metadata only.
func partial(kind string) string { return inProtobuf + ";as=" + kind + ";g=meta.k8s.io;v=v1" }

// source is where a kind's objects are, and in which form.
type source struct {
	path, kind string
	// partial asks for objects' metadata alone.
	partial bool
}

// form is that of an object, or of a list of them.
func (s source) form(suffix string) (accept, kind string) {
	if s.partial {
		kind = "PartialObjectMetadata" + suffix
		return partial(kind), kind
	}
	return inProtobuf, s.kind + suffix
}

// list asks for a list, or a page of one, and makes objects while it comes.
func (c *client) list(ctx context.Context, s source, o metav1.ListOptions, decode func([]byte) (*object, error)) (*objects, error) {
	accept, kind := s.form("List")
	body, err := c.get(s.path, accept).VersionedParams(&o, scheme.ParameterCodec).Stream(ctx)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	list := new(objects)
	p, err := readPage(body, kind, func(message []byte) error {
		o, err := decode(message)
		list.Items = append(list.Items, o)
		return err
	})
	list.ResourceVersion, list.Continue = p.version, p.next
	return list, err
}

// watch asks for a watch.
func (c *client) watch(ctx context.Context, s source, o metav1.ListOptions, d *decoder) (watch.Interface, error) {
	o.Watch = true
	var accept string
	accept, d.kind = s.form("")
	var err error
	if d.body, err = c.get(s.path, accept).VersionedParams(&o, scheme.ParameterCodec).Stream(ctx); err != nil {
		return nil, err
	}
	return watch.NewStreamWatcherWithLogger(klog.FromContext(ctx), d, apierrors.NewClientErrorReporter(500, "GET", "ClientWatchDecoding")), nil
}

// maxKeptBuffer is what a watch keeps for the next event: most are small.
const maxKeptBuffer = 64 << 10

// decoder reads the events of a watch.
type decoder struct {
	body   io.ReadCloser
	kind   string
	decode func(message []byte, event watch.EventType) (*object, error)
	failed func(error) // is told of what Decode returns
	buffer []byte
}

// Decode waits for the next event.
func (d *decoder) Decode() (watch.EventType, runtime.Object, error) {
	event, o, err := d.next()
	if err != nil {
		d.failed(err)
	}
	return event, o, err
}

func (d *decoder) next() (watch.EventType, runtime.Object, error) {
	frame, err := readFrame(d.body, d.buffer)
	if err != nil {
		return "", nil, err
	}
	if d.buffer = frame[:0]; cap(frame) > maxKeptBuffer {
		d.buffer = nil
	}
	var event watch.EventType
	var raw []byte
	err = fields(frame, func(f *field) error {
		switch f.number {
		case 1:
			event = watch.EventType(f.bytes)
		case 2:
			return fields(f.bytes, func(f *field) error {
				if f.number == 1 {
					raw = f.bytes
				}
				return nil
			})
		}
		return nil
	})
	if err != nil {
		return "", nil, err
	}
	o, err := d.object(event, raw)
	return event, o, err
}

func (d *decoder) object(event watch.EventType, raw []byte) (runtime.Object, error) {
	kind, message, err := unwrap(raw)
	switch {
	case err != nil:
		return nil, err
	case event == watch.Error && kind == "Status":
		if len(message) > maxError {
			return nil, tooLarge("a Status's bytes", maxError)
		}
		status := new(metav1.Status)
		return status, status.Unmarshal(message)
	case kind != d.kind:
		return nil, fmt.Errorf("%w: %q, not a %s", errNotAPI, kind, d.kind)
	}
	switch event {
	case watch.Added, watch.Modified, watch.Deleted, watch.Bookmark:
		return d.decode(message, event)
	}
	return nil, fmt.Errorf("%w: event %q", errNotAPI, event)
}

// Close ends the watch.
func (d *decoder) Close() { d.body.Close() }
