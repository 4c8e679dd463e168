package apiclient

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"sync/atomic"

	"golang.org/x/net/http2"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
)

// maxHeader bounds a response's header, maxError the body of an error: of a Status the
// beginning is enough.
const (
	maxHeader = 64 << 10
	maxError  = 64 << 10
)

// ErrRefused is the error of a response that no request asks for.
var ErrRefused = errors.New("refused")

var (
	errRedirect   = fmt.Errorf("%w: a redirect; credentials are for the server that the kubeconfig names", ErrRefused)
	errCompressed = fmt.Errorf("%w: a compressed response, which wasn't asked for", ErrRefused)
)

// newHTTPClient returns the client of one session, with connections of its own.
// client-go would share them among all equal Configs, and read the token's file by
// itself, unbounded.
//
// Without a proxy in the kubeconfig the one of this process's environment is used, for an
// inline kubeconfig as well: the environment is the operator's.
func newHTTPClient(config *rest.Config, c *Conns, token *atomic.Pointer[string]) (*http.Client, error) {
	config = rest.CopyConfig(config)
	config.Dial, config.BearerToken, config.BearerTokenFile = c.dial, "", ""
	to, err := config.TransportConfig()
	if err != nil {
		return nil, err
	}
	secured, err := transport.TLSConfigFor(to)
	if err != nil {
		return nil, err
	}
	if secured == nil {
		secured = new(tls.Config)
	}
	secured.NextProtos = []string{http2.NextProtoTLS, "http/1.1"}
	base := &http.Transport{
		Proxy:                  to.Proxy,
		DialContext:            to.DialHolder.Dial,
		TLSClientConfig:        secured,
		TLSHandshakeTimeout:    handshakeTimeout,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeader,
		TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{http2.NextProtoTLS: overHTTP2(c)},
	}
	rt, err := transport.HTTPWrappersForConfig(to, &guard{inner: utilnet.SetOldTransportDefaults(base), token: token})
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: rt}, nil
}

// guard refuses redirects and compressed responses before anything follows or unpacks
// them, and adds the token.
type guard struct {
	inner http.RoundTripper
	token *atomic.Pointer[string]
}

func (g *guard) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("Accept-Encoding", "identity")
	if token := g.token.Load(); token != nil && *token != "" && request.Header.Get("Authorization") == "" {
		request.Header.Set("Authorization", "Bearer "+*token)
	}
	response, err := g.inner.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if err := check(request, response); err != nil {
		response.Body.Close()
		return nil, err
	}
	return response, nil
}

func check(request *http.Request, response *http.Response) error {
	if encoding := response.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return errCompressed
	}
	switch status := response.StatusCode; {
	case status >= 300 && status < 400:
		return errRedirect
	case status < 200:
		return fmt.Errorf("%w: status %d", decode.ErrNotAPI, status)
	case status >= 400:
		response.Body = limitedBody{io.LimitReader(response.Body, maxError), response.Body}
		return nil
	}
	return checkType(request.Header.Get("Accept"), response.Header.Get("Content-Type"))
}

// checkType requires the content type that was asked for.
func checkType(asked, got string) error {
	want, _, err := mime.ParseMediaType(asked)
	if err != nil {
		return err
	}
	if is, _, err := mime.ParseMediaType(got); err != nil || is != want {
		return fmt.Errorf("%w: answers in %q, not in %s", decode.ErrNotAPI, got, want)
	}
	return nil
}

type limitedBody struct {
	io.Reader
	io.Closer
}
