package apiclient

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"time"

	"golang.org/x/net/http2"
)

// idleTimeout is how long a connection without a request is kept: longer than the pauses
// between those of an API that has nothing to watch, which is pinged on it meanwhile.
const idleTimeout = 2 * time.Minute

// overHTTP2 returns what makes a round tripper of a connection that speaks HTTP/2. It isn't
// pinged by the transport, as with client-go, but by Ping, which is told of what comes back.
func overHTTP2(c *Conns) func(authority string, conn *tls.Conn) http.RoundTripper {
	t := &http2.Transport{ //nolint:staticcheck // net/http's own can't be given a connection that is wrapped
		DisableCompression: true, MaxHeaderListSize: maxHeader, //nolint:staticcheck // as above
		IdleConnTimeout: idleTimeout, //nolint:staticcheck // as above
	}
	return func(_ string, conn *tls.Conn) http.RoundTripper {
		inner, err := t.NewClientConn(&frames{Conn: conn, conns: c, buffer: bufio.NewReader(conn)}) //nolint:staticcheck // as above
		if err != nil {
			_ = conn.Close()
			return failed{err}
		}
		c.addMultiplexed(inner)
		return &multiplexed{inner}
	}
}

// multiplexed is a connection for several requests at a time. Once it has no room for
// more, net/http opens another one, and this one is closed with the last of its requests.
type multiplexed struct{ *http2.ClientConn }

// RoundTrip implements http.RoundTripper.
func (m *multiplexed) RoundTrip(request *http.Request) (*http.Response, error) {
	if !m.ReserveNewRequest() {
		m.SetDoNotReuse()
		return nil, fullError{errors.New("http2: the connection has no room for more requests")}
	}
	return m.ClientConn.RoundTrip(request)
}

// fullError has a method that net/http looks for.
type fullError struct{ error }

// IsHTTP2NoCachedConnError has net/http retry the request on another connection.
func (fullError) IsHTTP2NoCachedConnError() {}

// failed stands in for a connection that couldn't be used.
type failed struct{ err error }

// RoundTrip implements http.RoundTripper.
func (f failed) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

// frames is an HTTP/2 connection of which the client reads only the frames of known
// types, no faster than the limiter allows. Those of unknown types are to be ignored (RFC
// 9113, section 4.1), and Go's client would log each.
type frames struct {
	*tls.Conn
	conns  *Conns
	buffer *bufio.Reader
	start  [9]byte
	// head is the part of a frame's header that isn't read yet, left how much of its
	// payload.
	head []byte
	left int
}

// Read implements io.Reader.
func (f *frames) Read(p []byte) (int, error) {
	for len(f.head) == 0 && f.left == 0 {
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	if len(f.head) > 0 {
		n := copy(p, f.head)
		f.head = f.head[n:]
		return n, nil
	}
	n, err := f.buffer.Read(p[:min(len(p), f.left)])
	f.left -= n
	return n, err
}

// next goes to the next frame.
func (f *frames) next() error {
	f.conns.limiter.take(f.conns.ctx, frameCost)
	if _, err := io.ReadFull(f.buffer, f.start[:]); err != nil {
		return err
	}
	length := int(binary.BigEndian.Uint32(f.start[:]) >> 8)
	switch kind := http2.FrameType(f.start[3]); kind {
	case http2.FrameData, http2.FrameHeaders, http2.FrameRSTStream, http2.FrameSettings, http2.FramePushPromise,
		http2.FramePing, http2.FrameGoAway, http2.FrameWindowUpdate, http2.FrameContinuation:
		f.head, f.left = f.start[:], length
		return nil
	}
	_, err := f.buffer.Discard(length)
	return err
}
