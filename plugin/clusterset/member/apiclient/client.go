// Package apiclient asks one member's Kubernetes API for lists and watches, over
// connections of its own. It follows no redirect, accepts nothing compressed, and reads
// no faster than a limit: an API may be the attacker's.
//
// Package member makes one Client a session. What comes is decoded by package decode.
package apiclient

import (
	"context"
	"encoding/json"
	"io"
	"path"
	"sync/atomic"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
)

// The content types. Everything is asked for in protobuf but what is known of an API group,
// and objects that there is no protobuf of.
const (
	inProtobuf = "application/vnd.kubernetes.protobuf"
	inJSON     = "application/json"
)

// NamespacesPath is where an API has its namespaces.
const NamespacesPath = "/api/v1/namespaces"

// maxSmall bounds what is never large: a namespace, an API group's versions.
const maxSmall = 256 << 10

// Client asks one API.
type Client struct{ rest *rest.RESTClient }

// New returns a client that uses the connections and, where it isn't empty, the token.
func New(config *rest.Config, c *Conns, token *atomic.Pointer[string]) (*Client, error) {
	through, err := newHTTPClient(config, c, token)
	if err != nil {
		return nil, err
	}
	config = rest.CopyConfig(config)
	config.GroupVersion, config.NegotiatedSerializer = &v1.SchemeGroupVersion, scheme.Codecs // for errors
	inner, err := rest.RESTClientForConfigAndClient(config, through)
	return &Client{inner}, err
}

// get begins a request. client-go's own retries would wait for as long as a Retry-After
// header says.
func (c *Client) get(path, contentType string) *rest.Request {
	return c.rest.Get().AbsPath(path).SetHeader("Accept", contentType).MaxRetries(0)
}

func (c *Client) small(ctx context.Context, path, contentType string) ([]byte, error) {
	body, err := c.get(path, contentType).Stream(ctx)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return decode.ReadAll(body, maxSmall)
}

// Namespace gets a namespace.
func (c *Client) Namespace(ctx context.Context, name string) (*metav1.PartialObjectMetadata, error) {
	content, err := c.small(ctx, NamespacesPath+"/"+name, inProtobuf)
	if err != nil {
		return nil, err
	}
	_, message, err := decode.Unwrap(content)
	if err != nil {
		return nil, err
	}
	return decode.Metadata(message)
}

// GroupVersions returns the versions of an API group, none where the API doesn't have it.
func (c *Client) GroupVersions(ctx context.Context, group string) (versions []string, err error) {
	content, err := c.small(ctx, "/apis/"+group, inJSON)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var answer struct {
		Versions []struct {
			Version string `json:"version"`
		} `json:"versions"`
	}
	err = json.Unmarshal(content, &answer)
	for _, v := range answer.Versions {
		versions = append(versions, v.Version)
	}
	return versions, err
}

// HasResource reports whether the API has the resource in that version of an API group.
func (c *Client) HasResource(ctx context.Context, group, version, resource string) (bool, error) {
	content, err := c.small(ctx, "/apis/"+group+"/"+version, inJSON)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var answer struct {
		Resources []struct{ Name string } `json:"resources"`
	}
	err = json.Unmarshal(content, &answer)
	for _, r := range answer.Resources {
		if r.Name == resource {
			return true, nil
		}
	}
	return false, err
}

// Source is where an API has the objects of a resource.
type Source struct {
	Path, Kind string
	// Label is one that objects must have, "" is none.
	Label string
	// MetadataOnly asks for the objects' metadata alone.
	MetadataOnly bool
	// JSON asks for JSON, of objects that there is no protobuf of.
	JSON bool
}

// OfService returns where an API has of the objects, Services or their EndpointSlices, those
// of one Service.
func (s Source) OfService(name, namespace string) (Source, metav1.ListOptions) {
	var o metav1.ListOptions
	if s.Kind == "Service" {
		o.FieldSelector = "metadata.name=" + name
	} else {
		s.Label = discovery.LabelServiceName + "=" + name
	}
	s.Path = path.Dir(s.Path) + "/namespaces/" + namespace + "/" + path.Base(s.Path)
	return s, o
}

// accept returns the content type to ask for, and the kind that comes: an object's, or
// with the suffix List a list's.
func (s Source) accept(suffix string) (contentType, kind string) {
	if s.MetadataOnly {
		kind = "PartialObjectMetadata" + suffix
		return inProtobuf + ";as=" + kind + ";g=meta.k8s.io;v=v1", kind
	}
	if s.JSON {
		return inJSON, s.Kind + suffix
	}
	return inProtobuf, s.Kind + suffix
}

// get begins a request for the objects, or their watch.
func (s Source) get(ctx context.Context, c *Client, contentType string, o *metav1.ListOptions) (io.ReadCloser, error) {
	o.LabelSelector = s.Label
	return c.get(s.Path, contentType).VersionedParams(o, scheme.ParameterCodec).Stream(ctx)
}

// List gets a list, or a page of one, and decodes its objects as they come.
func (c *Client) List(ctx context.Context, s Source, o metav1.ListOptions, object func(message []byte) (*decode.Object, error)) (*decode.List, error) {
	contentType, kind := s.accept("List")
	body, err := s.get(ctx, c, contentType, &o)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	list, readPage := new(decode.List), decode.ReadPage
	if s.JSON {
		readPage = decode.ReadJSONPage
	}
	page, err := readPage(body, kind, func(message []byte) error {
		o, err := object(message)
		if o != nil {
			list.Items = append(list.Items, o)
		}
		return err
	})
	list.ResourceVersion, list.Continue = page.Version, page.Continue
	return list, err
}

// Watch begins a watch. Its events' objects are decoded by object; failed is called with
// the error that ends it.
func (c *Client) Watch(ctx context.Context, s Source, o metav1.ListOptions, object ObjectFunc, failed func(error)) (watch.Interface, error) {
	o.Watch = true
	contentType, kind := s.accept("")
	body, err := s.get(ctx, c, contentType, &o)
	if err != nil {
		return nil, err
	}
	events := &eventReader{Closer: body, encoding: &protobufEvents{body: body}, kind: kind, object: object, failed: failed}
	if s.JSON {
		events.encoding = jsonEvents{decode.NewJSONEvents(body)}
	}
	return watch.NewStreamWatcherWithLogger(klog.FromContext(ctx), events, apierrors.NewClientErrorReporter(500, "GET", "ClientWatchDecoding")), nil
}
