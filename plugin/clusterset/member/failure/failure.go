// Package failure is why a member's API can't be used: what went wrong, as one of a few
// reasons, which metrics, logs and clients may have. It logs and counts nothing itself;
// package conditions does.
package failure

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

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apiclient"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
)

// Reason is the kind of a failure: a label of the metrics.
type Reason uint8

// The reasons.
const (
	// Unreachable: no connection, or one that broke.
	Unreachable Reason = iota
	// Timeout: a connection, and no response in time.
	Timeout
	// TLS: the server's certificate isn't trusted, or ours isn't accepted.
	TLS
	// Unauthorized: the API doesn't accept the credentials (401).
	Unauthorized
	// Forbidden: RBAC doesn't allow what is needed (403).
	Forbidden
	// ServerError: any other response that isn't what was asked for.
	ServerError
	// WatchSilent: a watch that sends nothing while the API is alive.
	WatchSilent
	// BadKubeconfig: no usable credentials.
	BadKubeconfig
	// Replaced: another cluster answers at the same address.
	Replaced
	// TooLarge: the API sent more than is accepted.
	TooLarge

	// Reasons is the number of reasons.
	Reasons
)

// reasons are the metrics' labels, and the texts of a Failure: never with an address,
// because clients see them.
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
	TooLarge:      {"too_large", "its API sends more than is accepted"},
}

// String returns the metrics' label.
func (r Reason) String() string { return reasons[r].label }

// Failure is why an API, or one of its resources, can't be used.
type Failure struct {
	Reason Reason
	// Resource is the one that it is about, "" for the API as a whole.
	Resource string
	// Err has the details, for the log.
	Err error
}

// Of returns the failure that an error of client-go's is.
func Of(err error, resource string) *Failure {
	return &Failure{Reason: ReasonOf(err), Resource: resource, Err: plain(err)}
}

// Error returns a short text without an address.
func (f *Failure) Error() string {
	if f.Resource == "" {
		return reasons[f.Reason].text
	}
	return reasons[f.Reason].text + " (" + f.Resource + ")"
}

func (f *Failure) Unwrap() error { return f.Err }

// OfConnection reports whether a probe fails as well, if the failure lasts.
func (f *Failure) OfConnection() bool {
	return f.Reason == Unreachable || f.Reason == Timeout || f.Reason == TLS
}

// Advice returns what to do about it, "" where that isn't known.
func (f *Failure) Advice() string {
	if f.Resource == "" || !apierrors.IsForbidden(f.Err) {
		return ""
	}
	text := "; allow list and watch of " + f.Resource + " in all namespaces"
	if f.Resource == "namespaces" {
		text += "; until then those are known that have a service"
	}
	return text
}

// ReasonOf returns the reason of an error of client-go's.
func ReasonOf(err error) Reason {
	var dial *net.OpError
	switch {
	case errors.Is(err, decode.ErrTooLarge):
		return TooLarge
	case errors.Is(err, apiclient.ErrRefused), errors.Is(err, decode.ErrNotAPI):
		return ServerError
	case isTLS(err):
		return TLS
	case errors.As(err, &dial) && dial.Op == "dial": // a timeout too: no connection
		return Unreachable
	case isTimeout(err):
		return Timeout
	case apierrors.IsUnauthorized(err):
		return Unauthorized
	case apierrors.IsForbidden(err):
		return Forbidden
	case IsStatus(err):
		return ServerError
	case isBroken(err):
		return Unreachable
	}
	return ServerError
}

// IsStatus reports whether err is a response of the API.
func IsStatus(err error) bool {
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
		// A peer's alert has no exported type, QUIC's aside.
		strings.Contains(err.Error(), "remote error: tls:") ||
		strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
}

// isBroken reports whether err is a connection's, not of what came over it.
func isBroken(err error) bool {
	var (
		request *url.Error
		network net.Error
		errno   syscall.Errno
	)
	return errors.As(err, &request) || errors.As(err, &network) || errors.As(err, &errno) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "http2:")
}

// plain returns err without the URL that net/http puts in front.
func plain(err error) error {
	var request *url.Error
	if errors.As(err, &request) {
		return request.Err
	}
	return err
}
