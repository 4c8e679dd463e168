package transport

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/quic-go/quic-go"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// askEncrypted asks an upstream over HTTPS or QUIC.
func askEncrypted(t *testing.T, s Transport) (*dns.Msg, error) {
	t.Helper()
	q := question(askedName)
	q.EDNS.Size = wire.DatagramSize
	return askOver(t.Context(), s, q, streamTimeout)
}

// newEncrypted returns a transport that is closed at the test's end.
func newEncrypted(t *testing.T, scheme model.Scheme, credentials *TLSConfig, addr netip.AddrPort) Transport {
	t.Helper()
	s := newTransport(model.Upstream{Scheme: scheme, Addr: addr}, credentials, nil)
	t.Cleanup(s.Close)
	return s
}

// TestHTTPS: a reply is one where it is a message of DNS with status 200, from the
// upstream itself, and of a message's size; what it says is read as over the others.
func TestHTTPS(t *testing.T) {
	config, credentials := testTLS(t)
	var elsewhere atomic.Int64
	other := clustertest.ServeHTTPS(t, clustertest.Loopback, config, func(w http.ResponseWriter, r *http.Request) {
		elsewhere.Add(1)
		clustertest.AnswerHTTP(w, r)
	})
	send := func(media string, change func([]byte) []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			var b bytes.Buffer
			clustertest.AnswerHTTP(&recorder{header: http.Header{}, body: &b}, r)
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
		{"right", clustertest.AnswerHTTP, ""},
		{"a media type with a parameter", send(dnsMessage+"; charset=x", clustertest.AsIs), ""},
		{"another id", send(dnsMessage, func(b []byte) []byte { b[0] = 7; return b }), ""},
		{"garbage behind", send(dnsMessage, func(b []byte) []byte { return append(b, 1, 2, 3) }), ""},
		{"another media type", send("text/html", clustertest.AsIs), "malformed reply"},
		{"no media type", send("", clustertest.AsIs), "malformed reply"},
		{"not found", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, "HTTP status 404"},
		{"no content", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }, "HTTP status 204"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://"+other.String()+"/dns-query", http.StatusTemporaryRedirect)
		}, "HTTP status 307"},
		{"another question", send(dnsMessage, func(b []byte) []byte { b[wire.HeaderLen+1] = 'x'; return b }), "malformed reply"},
		{"a query", send(dnsMessage, func(b []byte) []byte { b[2] &^= 0x80; return b }), "malformed reply"},
		{"cut", send(dnsMessage, clustertest.CutAt(50)), "malformed reply"},
		{"cut, with TC", send(dnsMessage, clustertest.WithTC(clustertest.CutAt(50))), "malformed reply"},
		{"nothing", send(dnsMessage, clustertest.CutAt(0)), "malformed reply"},
		{"half a header", send(dnsMessage, clustertest.CutAt(wire.HeaderLen-1)), "malformed reply"},
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
		{"grows", send(dnsMessage, clustertest.Growing), "malformed reply"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newEncrypted(t, model.HTTPS, credentials, clustertest.ServeHTTPS(t, clustertest.Loopback, config, tt.serve))
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
	config, credentials := testTLS(t)
	send := func(frames func(right []byte) []byte) func(*quic.Conn, *quic.Stream) {
		return func(_ *quic.Conn, stream *quic.Stream) {
			query, err := clustertest.ReadFrame(stream)
			if err != nil {
				return
			}
			_, _ = stream.Write(frames(clustertest.Addresses(1)(query)))
			_ = stream.Close()
		}
	}
	framed := func(b []byte) []byte { return append([]byte{byte(len(b) >> 8), byte(len(b))}, b...) }
	tests := []struct {
		name  string
		serve func(*quic.Conn, *quic.Stream)
		want  string
	}{
		{"right", clustertest.AnswerQUIC, ""},
		{"in pieces", func(_ *quic.Conn, stream *quic.Stream) {
			query, err := clustertest.ReadFrame(stream)
			if err != nil {
				return
			}
			for _, b := range framed(clustertest.Addresses(1)(query)) {
				_, _ = stream.Write([]byte{b})
			}
			_ = stream.Close()
		}, ""},
		{"two messages", send(func(b []byte) []byte { return append(framed(b), framed(b)...) }), ""},
		{"no end", func(_ *quic.Conn, stream *quic.Stream) {
			if query, err := clustertest.ReadFrame(stream); err == nil {
				clustertest.WriteFrame(stream, clustertest.Addresses(1)(query))
			}
		}, ""},
		{"streams of its own", func(conn *quic.Conn, stream *quic.Stream) {
			if _, err := conn.OpenStream(); err == nil {
				t.Error("it may open one")
			}
			if _, err := conn.OpenUniStream(); err == nil {
				t.Error("it may open one")
			}
			clustertest.AnswerQUIC(conn, stream)
		}, ""},
		{"endless", func(_ *quic.Conn, stream *quic.Stream) {
			query, err := clustertest.ReadFrame(stream)
			for err == nil {
				_, err = stream.Write(framed(clustertest.Addresses(1)(query)))
			}
		}, ""},
		{"nothing", send(func([]byte) []byte { return nil }), "malformed reply"},
		{"a message of no bytes", send(func([]byte) []byte { return []byte{0, 0} }), "malformed reply"},
		{"half a message", send(func(b []byte) []byte { return framed(b)[:20] }), "malformed reply"},
		{"cut", send(func(b []byte) []byte { return framed(b[:50]) }), "malformed reply"},
		{"another question", send(func(b []byte) []byte { b[wire.HeaderLen+1] = 'x'; return framed(b) }), "malformed reply"},
		{"grows", send(func(b []byte) []byte { return framed(clustertest.Growing(b)) }), "malformed reply"},
		{"reset", func(_ *quic.Conn, stream *quic.Stream) {
			_, _ = io.ReadAll(stream) // to the query's end
			stream.CancelWrite(2)
		}, "canceled by remote"},
		{"reset at once", func(_ *quic.Conn, stream *quic.Stream) { // the query may have been sent by then, or not
			stream.CancelRead(2)
			stream.CancelWrite(2)
		}, "stream "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newEncrypted(t, model.QUIC, credentials, clustertest.ServeQUIC(t, clustertest.Loopback, config, nil, tt.serve))
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
	config, credentials := testTLS(t)
	seen := make(chan *quic.Conn, 100)
	addr := clustertest.ServeQUIC(t, clustertest.Loopback, config, nil, func(conn *quic.Conn, stream *quic.Stream) {
		select {
		case seen <- conn:
		default:
		}
		clustertest.AnswerQUIC(conn, stream)
	})
	ask := func(c Transport, n int) {
		t.Helper()
		done := make(chan error)
		for i := range n {
			go func() {
				q := question(fmt.Sprintf("web%d.default.svc.cluster.local.", i))
				_, err := askOver(t.Context(), c, q, streamTimeout)
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
		c := newEncrypted(t, model.QUIC, credentials, addr)
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
	config, credentials := testTLS(t)
	seen := make(chan *quic.Conn, 10)
	addr := clustertest.ServeQUIC(t, clustertest.Loopback, config, &quic.Config{KeepAlivePeriod: streamIdle / 8, MaxIdleTimeout: time.Minute}, func(conn *quic.Conn, stream *quic.Stream) {
		seen <- conn
		clustertest.AnswerQUIC(conn, stream)
	})
	c := newEncrypted(t, model.QUIC, credentials, addr)
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
