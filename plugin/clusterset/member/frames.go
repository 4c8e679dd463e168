package member

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

// A connection over which nothing comes is asked whether it is alive, as client-go does,
// and one that nothing is asked over is closed.
const readIdle, pingTimeout, idleTimeout = 30 * time.Second, 15 * time.Second, 10 * time.Second

// overHTTP2 makes a session's round tripper of a connection that speaks HTTP/2.
func overHTTP2(c *conns) func(authority string, conn *tls.Conn) http.RoundTripper {
	t := &http2.Transport{ //nolint:staticcheck // net/http's own takes no connection that is read through another
		DisableCompression: true, MaxHeaderListSize: maxHeader, //nolint:staticcheck // as above
		ReadIdleTimeout: readIdle, PingTimeout: pingTimeout, IdleConnTimeout: idleTimeout, //nolint:staticcheck // as above
	}
	return func(_ string, conn *tls.Conn) http.RoundTripper {
		inner, err := t.NewClientConn(&frames{Conn: conn, conns: c, buffer: bufio.NewReader(conn)}) //nolint:staticcheck // as above
		if err != nil {
			_ = conn.Close()
			return failing{err}
		}
		return &shared{inner}
	}
}

// shared is a connection for several requests. When it can't take any more, net/http
// makes another one, and it is closed with the last of those that it has.
type shared struct{ *http2.ClientConn }

// RoundTrip implements http.RoundTripper.
func (s *shared) RoundTrip(request *http.Request) (*http.Response, error) {
	if !s.ReserveNewRequest() {
		s.SetDoNotReuse()
		return nil, fullError{errors.New("http2: the connection takes no more requests")}
	}
	return s.ClientConn.RoundTrip(request)
}

// fullError is what net/http asks an error for.
type fullError struct{ error }

// IsHTTP2NoCachedConnError has the request tried on another connection.
func (fullError) IsHTTP2NoCachedConnError() {}

// failing is in place of a connection.
type failing struct{ err error }

// RoundTrip implements http.RoundTripper.
func (f failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, f.err }

// frames is an HTTP/2 connection of which a client reads just the frames that it has a
// use for, at the member's pace: of each other one, which is to be ignored (RFC 9113,
// section 4.1), Go's would write a line to the log.
type frames struct {
	*tls.Conn
	conns  *conns
	buffer *bufio.Reader
	start  [9]byte
	// head is what isn't read yet of a frame's start, left how many bytes of the rest.
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
	f.conns.pace.take(f.conns.ctx, frameCost)
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
