package exchange

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"

	"github.com/miekg/dns"
	"github.com/quic-go/quic-go"
)

// askEncrypted asks an upstream over HTTPS or QUIC.
func askEncrypted(t *testing.T, c *Client) (*dns.Msg, error) {
	t.Helper()
	q := question(askedName)
	q.EDNS.Size, q.Deadline = DatagramSize, time.Now().Add(20*time.Second)
	m, _, err := c.Exchange(t.Context(), q)
	return m, err
}

// TestHTTPS: a reply is one where it is a message of DNS with status 200, from the
// upstream itself, and of a message's size; what it says is read as over the others.
func TestHTTPS(t *testing.T) {
	config, material := testTLS(t)
	var elsewhere atomic.Int64
	other := serveHTTPS(t, config, func(w http.ResponseWriter, r *http.Request) {
		elsewhere.Add(1)
		answerHTTP(w, r)
	})
	send := func(media string, change func([]byte) []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			var b bytes.Buffer
			answerHTTP(&recorder{header: http.Header{}, body: &b}, r)
			w.Header().Set("Content-Type", media)
			_, _ = w.Write(change(b.Bytes()))
		}
	}
	var zipped bytes.Buffer // once: with the race detector, it takes a while
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(make([]byte, 1<<20))
	_ = z.Close()
	tests := []struct {
		name  string
		serve http.HandlerFunc
		want  string // "" is an answer
	}{
		{"right", answerHTTP, ""},
		{"a media type with a parameter", send(dnsMessage+"; charset=x", asIs), ""},
		{"another id", send(dnsMessage, func(b []byte) []byte { b[0] = 7; return b }), ""},
		{"garbage behind", send(dnsMessage, func(b []byte) []byte { return append(b, 1, 2, 3) }), ""},
		{"another media type", send("text/html", asIs), "malformed reply"},
		{"no media type", send("", asIs), "malformed reply"},
		{"not found", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, "HTTP status 404"},
		{"no content", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, "HTTP status 204"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://"+other.String()+"/dns-query", http.StatusTemporaryRedirect)
		}, "HTTP status 307"},
		{"another question", send(dnsMessage, func(b []byte) []byte { b[headerLen+1] = 'x'; return b }), "malformed reply"},
		{"a query", send(dnsMessage, func(b []byte) []byte { b[2] &^= flagQR >> 8; return b }), "malformed reply"},
		{"cut", send(dnsMessage, cutAt(50)), "malformed reply"},
		{"cut, with TC", send(dnsMessage, withTC(cutAt(50))), "malformed reply"},
		{"nothing", send(dnsMessage, cutAt(0)), "malformed reply"},
		{"half a header", send(dnsMessage, cutAt(headerLen-1)), "malformed reply"},
		{"too large", send(dnsMessage, func(b []byte) []byte { return append(b, make([]byte, dns.MaxMsgSize)...) }), "malformed reply"},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", dnsMessage)
			for {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return // it was closed
				}
			}
		}, "malformed reply"},
		{"compressed", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", dnsMessage)
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(zipped.Bytes())
		}, "malformed reply"},
		{"grows", send(dnsMessage, func(b []byte) []byte {
			b[7] = 1
			return append(b[:headerLen+35], record(dns.TypeHIP, full(make([]byte, 4), []byte{pointer, headerLen}))...)
		}), "malformed reply"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClientOf(t, model.HTTPS, material, serveHTTPS(t, config, tt.serve))
			for range 2 {
				m, err := askEncrypted(t, c)
				wantEnd(t, m, err, tt.want)
			}
		})
	}
	t.Cleanup(func() {
		if elsewhere.Load() != 0 {
			t.Error("a redirect was followed")
		}
	})
}

// recorder is a ResponseWriter into memory.
type recorder struct {
	header http.Header
	body   *bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
func (r *recorder) WriteHeader(int)             {}

func wantEnd(t *testing.T, m *dns.Msg, err error, want string) {
	t.Helper()
	switch {
	case want == "" && (err != nil || len(m.Answer) != 1):
		t.Errorf("%v, %v", m, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%v, %v; want %s", m, err, want)
	}
}

// TestQUIC: one message is read of a stream, whatever else comes, and streams that the
// upstream opens aren't taken.
func TestQUIC(t *testing.T) {
	config, material := testTLS(t)
	send := func(frames func(right []byte) []byte) func(*quic.Conn, *quic.Stream) {
		return func(_ *quic.Conn, stream *quic.Stream) {
			query, err := readFrame(stream)
			if err != nil {
				return
			}
			_, _ = stream.Write(frames(answerMessage(query)))
			_ = stream.Close()
		}
	}
	framed := func(b []byte) []byte { return append([]byte{byte(len(b) >> 8), byte(len(b))}, b...) }
	tests := []struct {
		name  string
		serve func(*quic.Conn, *quic.Stream)
		want  string
	}{
		{"right", answerQUIC, ""},
		{"in pieces", func(_ *quic.Conn, stream *quic.Stream) {
			query, err := readFrame(stream)
			if err != nil {
				return
			}
			for _, b := range framed(answerMessage(query)) {
				_, _ = stream.Write([]byte{b})
			}
			_ = stream.Close()
		}, ""},
		{"two messages", send(func(b []byte) []byte { return append(framed(b), framed(b)...) }), ""},
		{"no end", func(_ *quic.Conn, stream *quic.Stream) {
			if query, err := readFrame(stream); err == nil {
				writeFrame(stream, answerMessage(query))
			}
		}, ""},
		{"streams of its own", func(conn *quic.Conn, stream *quic.Stream) {
			if _, err := conn.OpenStream(); err == nil {
				t.Error("it may open one")
			}
			if _, err := conn.OpenUniStream(); err == nil {
				t.Error("it may open one")
			}
			answerQUIC(conn, stream)
		}, ""},
		{"endless", func(_ *quic.Conn, stream *quic.Stream) {
			query, err := readFrame(stream)
			for err == nil {
				_, err = stream.Write(framed(answerMessage(query)))
			}
		}, ""},
		{"nothing", send(func([]byte) []byte { return nil }), "malformed reply"},
		{"a message of no bytes", send(func([]byte) []byte { return []byte{0, 0} }), "malformed reply"},
		{"half a message", send(func(b []byte) []byte { return framed(b)[:20] }), "malformed reply"},
		{"cut", send(func(b []byte) []byte { return framed(b[:50]) }), "malformed reply"},
		{"another question", send(func(b []byte) []byte { b[headerLen+1] = 'x'; return framed(b) }), "malformed reply"},
		{"grows", send(func(b []byte) []byte {
			b[7] = 1
			return framed(append(b[:headerLen+35], record(dns.TypeHIP, full(make([]byte, 4), []byte{pointer, headerLen}))...))
		}), "malformed reply"},
		{"reset", func(_ *quic.Conn, stream *quic.Stream) {
			stream.CancelRead(2)
			stream.CancelWrite(2)
		}, "unreachable"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newClientOf(t, model.QUIC, material, serveQUIC(t, config, tt.serve))
			for range 2 {
				m, err := askEncrypted(t, c)
				wantEnd(t, m, err, tt.want)
			}
		})
	}
}

// TestSessions: an upstream that was started again is asked on a new connection, in the
// same query; many at once share one; and nothing is left at the end.
func TestSessions(t *testing.T) {
	config, material := testTLS(t)
	seen := make(chan *quic.Conn, 100)
	addr := serveQUIC(t, config, func(conn *quic.Conn, stream *quic.Stream) {
		select {
		case seen <- conn:
		default:
		}
		answerQUIC(conn, stream)
	})
	ask := func(c *Client, n int) {
		t.Helper()
		done := make(chan error)
		for i := range n {
			go func() {
				q := question(fmt.Sprintf("web%d.default.svc.cluster.local.", i))
				q.EDNS.Size, q.Deadline = DatagramSize, time.Now().Add(20*time.Second)
				_, _, err := c.Exchange(t.Context(), q)
				done <- err
			}()
		}
		for range n {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	clustertest.Tries(t, func() error { // on a busy machine, some are asked again on a new one
		for len(seen) > 0 {
			<-seen
		}
		c := newClientOf(t, model.QUIC, material, addr)
		ask(c, 50)
		first := <-seen
		for range 49 {
			if conn := <-seen; conn != first {
				return errors.New("queries on other connections")
			}
		}
		_ = first.CloseWithError(0, "started again")
		ask(c, 10)
		if second := <-seen; second == first {
			return errors.New("asked on the old connection")
		}
		return nil
	})
}

// TestQUICIdle: a connection that nobody asks on is closed, though the upstream keeps it
// alive; the next query has another.
func TestQUICIdle(t *testing.T) {
	t.Parallel() // it waits for streamIdle
	config, material := testTLS(t)
	seen := make(chan *quic.Conn, 10)
	addr := serveQUICAt(t, "127.0.0.1:0", config, &quic.Config{KeepAlivePeriod: streamIdle / 8, MaxIdleTimeout: time.Minute}, func(conn *quic.Conn, stream *quic.Stream) {
		seen <- conn
		answerQUIC(conn, stream)
	})
	c := newClientOf(t, model.QUIC, material, addr)
	for range 2 {
		m, err := askEncrypted(t, c)
		wantEnd(t, m, err, "")
		conn := <-seen
		select {
		case <-conn.Context().Done():
		case <-time.After(4 * streamIdle):
			t.Fatal("kept open")
		}
	}
}
