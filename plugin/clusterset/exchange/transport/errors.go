package transport

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"syscall"
)

// What a message fails with, besides wire.ErrMalformed and what the kernel, TLS, HTTP and
// QUIC say.
var (
	// ErrNoReply is that the time is over.
	ErrNoReply = errors.New("no reply")
	// ErrUnread is that the upstream doesn't read.
	ErrUnread = errors.New("doesn't read its queries")
	// ErrUnasked is that a connection was closed because it brought what nobody asked for.
	ErrUnasked = errors.New("replies that nobody asked for")
	// ErrClosed is that the transport is closed.
	ErrClosed = errors.New("closed")
)

// StatusError is an HTTP status that isn't 200.
type StatusError int

func (s StatusError) Error() string { return "HTTP status " + strconv.Itoa(int(s)) }

// Plain returns a network error without its layers, which repeat the addresses and name
// system calls. A time that is over is ErrNoReply.
func Plain(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return ErrNoReply
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() && !isClosedByPeer(err) { // a TLS handshake's, of net/http
		return ErrNoReply
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		return op.Err
	}
	if request, ok := errors.AsType[*url.Error](err); ok {
		return request.Err
	}
	return err
}

// isClosedByPeer reports whether the upstream has closed the connection.
func isClosedByPeer(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// isCutShort reports whether a connection has ended that might have brought the pending
// queries' replies: closed by the upstream, or by us as it brought what nobody asked for.
// An upstream that closes one has been started again, or found it idle, or answers only so
// many queries on one, or is one of several behind an address: RFC 7766, section 6.2.1,
// has what was not answered asked again. So those queries are, once, on another one.
func isCutShort(err error) bool { return isClosedByPeer(err) || errors.Is(err, ErrUnasked) }
