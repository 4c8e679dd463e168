package member

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// Reason is what kind of trouble there is: a label of the metrics.
type Reason uint8

// The reasons.
const (
	// Unreachable: no connection, or one that broke.
	Unreachable Reason = iota
	// Timeout: a connection, and no answer in time.
	Timeout
	// TLS: the server's certificate isn't to be trusted, or ours isn't taken.
	TLS
	// Unauthorized: the API doesn't take the credentials (401).
	Unauthorized
	// Forbidden: RBAC doesn't allow what is needed (403).
	Forbidden
	// ServerError: any other answer that isn't what was asked for.
	ServerError
	// WatchSilent: a watch that tells nothing while the API is alive.
	WatchSilent
	// BadKubeconfig: no usable credentials.
	BadKubeconfig
	// Replaced: another cluster answers at the same address.
	Replaced
	// TooLarge: the API sent more than is taken.
	TooLarge

	// Reasons is how many there are.
	Reasons
)

// reasons are the metrics' labels, and what a View's Err says: never an address,
// because it goes to whoever asks a name.
var reasons = [Reasons]struct{ label, text string }{
	Unreachable:   {"unreachable", "its API can't be reached"},
	Timeout:       {"timeout", "its API doesn't answer in time"},
	TLS:           {"tls", "no trusted TLS connection to its API"},
	Unauthorized:  {"unauthorized", "its API doesn't accept the credentials"},
	Forbidden:     {"forbidden", "its API forbids access"},
	ServerError:   {"server_error", "its API answers with an error"},
	WatchSilent:   {"watch_silent", "a watch of its API is silent"},
	BadKubeconfig: {"bad_kubeconfig", "no usable kubeconfig"},
	Replaced:      {"replaced", "another cluster is at its API's address"},
	TooLarge:      {"too_large", "its API sends more than is taken"},
}

// String is the metrics' label.
func (r Reason) String() string { return reasons[r].label }

// trouble is something that went wrong.
type trouble struct {
	reason Reason
	// of is the kind that it is about, "" for the API as a whole.
	of string
	// err tells all, for the log.
	err error
}

// Error is short, and names no address.
func (t *trouble) Error() string {
	if t.of == "" {
		return reasons[t.reason].text
	}
	return reasons[t.reason].text + " (" + t.of + ")"
}

func (t *trouble) Unwrap() error { return t.err }

// ofConnection tells of trouble that a probe has too, if it lasts.
func (t *trouble) ofConnection() bool {
	return t.reason == Unreachable || t.reason == Timeout || t.reason == TLS
}

// classify finds the reason of what client-go returned.
func classify(err error) Reason {
	var dial *net.OpError
	switch {
	case errors.Is(err, errTooLarge):
		return TooLarge
	case errors.Is(err, errRedirect), errors.Is(err, errCompressed), errors.Is(err, errNotAPI):
		return ServerError
	case isTLS(err):
		return TLS
	case errors.As(err, &dial) && dial.Op == "dial": // its time-out too: no connection
		return Unreachable
	case isTimeout(err):
		return Timeout
	case apierrors.IsUnauthorized(err):
		return Unauthorized
	case apierrors.IsForbidden(err):
		return Forbidden
	case isStatus(err):
		return ServerError
	case isBroken(err):
		return Unreachable
	}
	return ServerError
}

// isStatus tells whether err is an answer of the API.
func isStatus(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status)
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() ||
		apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err)
}

func isTLS(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		hostname     x509.HostnameError
		invalid      x509.CertificateInvalidError
		alert        tls.AlertError
		header       tls.RecordHeaderError
	)
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &hostname) ||
		errors.As(err, &invalid) || errors.As(err, &alert) || errors.As(err, &header) ||
		// The peer's alert has no exported type, unless it is QUIC's.
		strings.Contains(err.Error(), "remote error: tls:") ||
		strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}

// isBroken tells whether err is that of a connection, not of what came over it.
func isBroken(err error) bool {
	var (
		request *url.Error
		network net.Error
		errno   syscall.Errno
	)
	return errors.As(err, &request) || errors.As(err, &network) || errors.As(err, &errno) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "http2:")
}

// plain is err without the URL that net/http puts in front.
func plain(err error) error {
	var request *url.Error
	if errors.As(err, &request) {
		return request.Err
	}
	return err
}
