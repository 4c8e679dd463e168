package clusterset

import (
	"bytes"
	"crypto/tls"
	"io"
	golog "log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/http2"
)

// lockedBuffer is a log that a test reads.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.SplitAfter(b.String(), "\n")
}

// limitedLog is the process's log until the test's end, which writes to the buffer.
func limitedLog(t *testing.T) *lockedBuffer {
	t.Helper()
	b, was := new(lockedBuffer), golog.Writer()
	golog.SetOutput(b)
	limitLibraries()
	limitLibraries() // as each server block does
	t.Cleanup(func() { golog.SetOutput(was) })
	return b
}

// TestLibraryLog: a server that has Go's HTTP client log without an end gets some lines,
// short ones, whatever is in them; nobody else's are touched.
func TestLibraryLog(t *testing.T) {
	b := limitedLog(t)
	golog.Printf("Unsolicited response received on idle HTTP channel starting with %q; err=%v", strings.Repeat("x", 4096), io.EOF)
	golog.Printf("http2: invalid header: a\n[FATAL] b\x1b[2J")
	for range 1000 {
		golog.Printf("Transport: unhandled response frame type %T", 0)
		golog.Printf("protocol error: received DATA after END_STREAM")
	}
	theirs := b.lines()
	for _, line := range theirs {
		if len(line) > libraryWidth+4 || strings.Contains(line, "\x1b") || strings.HasPrefix(line, "[FATAL]") {
			t.Errorf("%q", line)
		}
	}
	if len(theirs) != libraryLines+1 { // what is after the last
		t.Errorf("%d lines", len(theirs)-1)
	}
	for range 100 {
		golog.Print("[ERROR] plugin/errors: http2: this is CoreDNS's, and as long as it likes: ", strings.Repeat("x", 500))
	}
	if n := len(b.lines()) - len(theirs); n != 100 {
		t.Errorf("%d lines of CoreDNS's", n)
	}
}

// TestUnknownFrames: what Go's client writes about frames that it doesn't know is taken
// for what it is.
func TestUnknownFrames(t *testing.T) {
	const frames = 1000
	b := limitedLog(t)
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.EnableHTTP2 = true
	s.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){http2.NextProtoTLS: func(_ *http.Server, c *tls.Conn, _ http.Handler) {
		f := http2.NewFramer(c, nil)
		_ = f.WriteSettings()
		for range frames {
			_ = f.WriteRawFrame(0x77, 0, 0, nil)
		}
		_ = c.CloseWrite()            // the client reads what was sent, and ends
		_, _ = io.Copy(io.Discard, c) // a connection closed with something unread is reset
	}}
	s.StartTLS()
	defer s.Close()
	_, err := s.Client().Get(s.URL) // an error, when all has been read
	if err == nil {
		t.Error("an answer")
	}
	if n := len(b.lines()) - 1; n == 0 || n > libraryLines {
		t.Errorf("%d lines: %q", n, b.lines()[:1])
	}
}
