// Package bounded is for asking an API that somebody else may have chosen, or run: no redirect
// is followed with a credential, and a reply has an end. How long it may take is the caller's
// to say.
package bounded

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"k8s.io/client-go/rest"
)

// maxReply is what a page of 500 large objects fits into.
const maxReply = 16 << 20

// Wrap bounds what is asked with the configuration.
func Wrap(config *rest.Config) {
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return transport{next} })
}

type transport struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	reply, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if reply.StatusCode >= 300 && reply.StatusCode < 400 {
		_ = reply.Body.Close()
		return nil, errors.New("answers with a redirect, which isn't followed")
	}
	reply.Body = &body{ReadCloser: reply.Body, left: maxReply}
	return reply, nil
}

// body is a reply's, as far as maxReply.
type body struct {
	io.ReadCloser
	left int
}

func (b *body) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("too large: more than %d bytes", maxReply)
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
