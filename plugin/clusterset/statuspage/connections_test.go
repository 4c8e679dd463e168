package statuspage

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener in memory: time in a test of it passes when nothing else happens.
type pipes struct {
	next   chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.next:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { close(p.closed); return nil }

func (*pipes) Addr() net.Addr { return &net.UnixAddr{} }

// dial connects, and sends a request if there is one.
func (p *pipes) dial(t *testing.T, request string) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close() })
	p.next <- theirs
	if request != "" {
		if _, err := io.WriteString(ours, request); err != nil {
			t.Fatal(err)
		}
	}
	return ours
}

const healthz = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

// answered reads one response, as far as OK, and returns how long it took.
func answered(t *testing.T, c net.Conn) time.Duration {
	t.Helper()
	began := time.Now()
	for all := ""; !strings.HasSuffix(all, "\r\n\r\nOK\n"); {
		b := make([]byte, 4096)
		n, err := c.Read(b)
		if err != nil {
			t.Fatalf("%q, %v", all, err)
		}
		all += string(b[:n])
	}
	return time.Since(began)
}

// TestServeConnections: the next connection after the most takes the place of the one that has
// asked nothing for the longest; of those that are being answered, none.
func TestServeConnections(t *testing.T) {
	t.Run("idle", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes()
			defer Serve(p, NewHandler(testSource(), "")).Close()
			var open []net.Conn
			for range maxConnections {
				c := p.dial(t, healthz)
				answered(t, c)
				open = append(open, c)
				time.Sleep(time.Millisecond)
			}
			if took := answered(t, p.dial(t, healthz)); took > 0 {
				t.Errorf("answered beside idle ones after %s", took)
			}
			began := time.Now()
			if _, err := open[0].Read(make([]byte, 1)); !errors.Is(err, io.EOF) || time.Since(began) > 0 {
				t.Errorf("the oldest: %v after %s", err, time.Since(began))
			}
			if _, err := io.WriteString(open[1], healthz); err != nil {
				t.Fatalf("another: %v", err)
			}
			answered(t, open[1])
		})
	})
	t.Run("silent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newPipes()
			defer Serve(p, NewHandler(testSource(), "")).Close()
			for range maxConnections {
				p.dial(t, "GET / HTT")
			}
			began := time.Now()
			answered(t, p.dial(t, healthz))
			if took := time.Since(began); took != silence {
				t.Errorf("answered beside silent ones after %s", took)
			}
		})
	})
	t.Run("asking", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, release := newPipes(), make(chan bool)
			defer Serve(p, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				<-release
				_, _ = io.WriteString(w, "OK\n")
			})).Close()
			for range maxConnections {
				p.dial(t, healthz)
			}
			ours, theirs := net.Pipe()
			defer ours.Close()
			go func() { p.next <- theirs }()
			asked := make(chan bool)
			go func() {
				_, _ = io.WriteString(ours, healthz)
				close(asked)
			}()
			time.Sleep(2 * silence)
			select {
			case <-asked:
				t.Error("read beside others that are being answered")
			default:
			}
			close(release)
			<-asked
			answered(t, ours)
		})
	})
}

// TestServeOptions: "OPTIONS *" isn't answered by the HTTP library, without the headers.
func TestServeOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		defer Serve(p, NewHandler(testSource(), "")).Close()
		c := p.dial(t, "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		all, err := io.ReadAll(c)
		if err != nil || !strings.HasPrefix(string(all), "HTTP/1.1 405 ") || !strings.Contains(string(all), "nosniff") {
			t.Errorf("%q, %v", all, err)
		}
	})
}

// TestServeTakers: who doesn't take a response loses it, long before the whole may be written.
func TestServeTakers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, p := testSource(), newPipes()
		s.process.Host = strings.Repeat("x", 4*chunk)
		h := NewHandler(s, "").(http.HandlerFunc)
		ended := make(chan time.Duration, 1)
		defer Serve(p, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			began := time.Now()
			h(w, r)
			ended <- time.Since(began)
		})).Close()
		p.dial(t, "GET /status.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if took := <-ended; took != chunkTime {
			t.Errorf("nothing is taken: ended after %s", took)
		}
		c := p.dial(t, "GET /status.json HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		var all int
		for b := make([]byte, chunk/4); ; time.Sleep(chunkTime / 10) {
			n, err := c.Read(b)
			if all += n; err != nil {
				break
			}
		}
		if took := <-ended; all < 4*chunk || took < chunkTime {
			t.Errorf("taken slowly: %d bytes in %s", all, took)
		}
	})
}
