// Package apiclient asks one member's Kubernetes API for lists and watches, over
// connections of its own. It follows no redirect, accepts nothing compressed, and reads
// no faster than a limit: an API may be the attacker's.
//
// Package member makes one Client a session. What comes is decoded by package decode.
package apiclient

import (
	"context"
	"encoding/json"
	"sync/atomic"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
)

// The content types. Everything is asked for in protobuf but the versions of an API group.
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

// Source is where an API has the objects of a resource.
type Source struct {
	Path, Kind string
	// MetadataOnly asks for the objects' metadata alone.
	MetadataOnly bool
}

// accept returns the content type to ask for, and the kind that comes: an object's, or
// with the suffix List a list's.
func (s Source) accept(suffix string) (contentType, kind string) {
	if s.MetadataOnly {
		kind = "PartialObjectMetadata" + suffix
		return inProtobuf + ";as=" + kind + ";g=meta.k8s.io;v=v1", kind
	}
	return inProtobuf, s.Kind + suffix
}

// List gets a list, or a page of one, and decodes its objects as they come.
func (c *Client) List(ctx context.Context, s Source, o metav1.ListOptions, object func(message []byte) (*decode.Object, error)) (*decode.List, error) {
	contentType, kind := s.accept("List")
	body, err := c.get(s.Path, contentType).VersionedParams(&o, scheme.ParameterCodec).Stream(ctx)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	list := new(decode.List)
	page, err := decode.ReadPage(body, kind, func(message []byte) error {
		o, err := object(message)
		list.Items = append(list.Items, o)
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
	body, err := c.get(s.Path, contentType).VersionedParams(&o, scheme.ParameterCodec).Stream(ctx)
	if err != nil {
		return nil, err
	}
	events := &eventReader{body: body, kind: kind, object: object, failed: failed}
	return watch.NewStreamWatcherWithLogger(klog.FromContext(ctx), events, apierrors.NewClientErrorReporter(500, "GET", "ClientWatchDecoding")), nil
}
