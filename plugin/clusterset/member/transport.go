package member

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
)

// maxHeader bounds a response's header, maxError the body of one that isn't what
// was asked for: a Status, of which the beginning is enough.
const (
	maxHeader = 64 << 10
	maxError  = 64 << 10
)

var (
	errRedirect   = errors.New("refused: a redirect; credentials are for the server that the kubeconfig names")
	errCompressed = errors.New("refused: a compressed response, which wasn't asked for")
)

// newHTTPClient makes what one session's requests go through: connections of its
// own, and what it is sure to refuse. client-go would share them among all Configs
// that are alike, and read the token's file by itself, without an end.
//
// Without a proxy of the kubeconfig's, that of this process's environment is used,
// also for a kubeconfig that is data: it is the operator's word, not the Secret's.
func newHTTPClient(config *rest.Config, c *conns, token *atomic.Pointer[string]) (*http.Client, error) {
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

// guard refuses what no request asks for, before anything follows or unpacks it.
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
		return fmt.Errorf("%w: status %d", errNotAPI, status)
	case status >= 400:
		response.Body = limited{io.LimitReader(response.Body, maxError), response.Body}
		return nil
	}
	return checkType(request.Header.Get("Accept"), response.Header.Get("Content-Type"))
}

// checkType wants the answer in the form that was asked for.
func checkType(asked, got string) error {
	want, _, err := mime.ParseMediaType(asked)
	if err != nil {
		return err
	}
	if is, _, err := mime.ParseMediaType(got); err != nil || is != want {
		return fmt.Errorf("%w: answers in %q, not in %s", errNotAPI, got, want)
	}
	return nil
}

type limited struct {
	io.Reader
	io.Closer
}
