package probe

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// silent reads all, and says nothing.
func silent(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

// unread reads nothing. The other end, which waits for that, would have to read first.
func unread(conn net.Conn) { _, _ = conn.Write([]byte("x")) }

// read reads a request.
func read(conn net.Conn) *http.Request {
	request, _ := http.ReadRequest(bufio.NewReader(conn))
	return request
}

// says reads a request, and says that.
func says(text string) func(net.Conn) {
	return func(conn net.Conn) {
		read(conn)
		_, _ = io.WriteString(conn, text)
	}
}

// repeats reads a request, and says something first, then the other without end, one each pause.
func repeats(first, then string, pause time.Duration) func(net.Conn) {
	return func(conn net.Conn) {
		says(first)(conn)
		for {
			if _, err := io.WriteString(conn, then); err != nil {
				return
			}
			time.Sleep(pause)
		}
	}
}

// TestCheck: what gateways do, and misdo.
func TestCheck(t *testing.T) {
	const evil = "visit evil.example"
	for _, test := range []struct {
		name, url string
		dial      outcome
		serve     func(net.Conn)
		want      string // "" is alive
		took      time.Duration
	}{
		{"accepted", "tcp://192.0.2.1:1", accepted, nil, "", 0},
		{"refused", "tcp://192.0.2.1:1", refused, nil, "connect: connection refused", 0},
		{"hung connect", "tcp://192.0.2.1:1", blackHole, nil, "connect: timeout", defaultTimeout},
		{"no files", "tcp://192.0.2.1:1", noFiles, nil, "connect: out of resources of this machine", 0},
		{"200", "http://192.0.2.1", accepted, says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), "", 0},
		{"a redirect", "http://192.0.2.1", accepted, says("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n"), "", 0},
		{"404", "http://192.0.2.1", accepted, says("HTTP/1.1 404 Not Found\r\n\r\n"), "", 0},
		{"499", "http://192.0.2.1", accepted, says("HTTP/1.1 499 " + evil + "\r\n\r\n"), "", 0},
		{"101", "http://192.0.2.1", accepted, says("HTTP/1.1 101 Switching Protocols\r\n\r\n"), "", 0},
		{"HTTP/1.0", "http://192.0.2.1", accepted, says("HTTP/1.0 200 OK\r\n\r\n"), "", 0},
		{"500", "http://192.0.2.1", accepted, says("HTTP/1.1 500 " + evil + "\r\n\r\n" + evil), "status 500", 0},
		{"503", "http://192.0.2.1", accepted, says("HTTP/1.1 503 " + evil + "\r\n\r\n"), "status 503", 0},
		{"999", "http://192.0.2.1", accepted, says("HTTP/1.1 999 " + evil + "\r\n\r\n"), "status 999", 0},
		{"hints, then 503", "http://192.0.2.1", accepted, says("HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 503 X\r\n\r\n"), "status 503", 0},
		{"hints without end", "http://192.0.2.1", accepted, repeats("", "HTTP/1.1 103 Hints\r\n\r\n", 0), "HTTP: failed", 0},
		{"not HTTP", "http://192.0.2.1", accepted, says(evil + "\r\n\r\n"), "HTTP: failed", 0},
		{"closed without a word", "http://192.0.2.1", accepted, says(""), "HTTP: failed", 0},
		{"closed at once", "http://192.0.2.1", accepted, nil, "HTTP: failed", 0},
		{"cut", "http://192.0.2.1", accepted, says("HTTP/1.1 200 OK\r\nX: "), "HTTP: failed", 0},
		{"silent", "http://192.0.2.1", accepted, silent, "HTTP: timeout", defaultTimeout},
		{"reads nothing", "http://192.0.2.1", accepted, unread, "HTTP: timeout", defaultTimeout},
		{"a header without end", "http://192.0.2.1", accepted, repeats("HTTP/1.1 200 OK\r\nX: ", strings.Repeat("x", 1000), 0), "HTTP: failed", 0},
		{"headers without end", "http://192.0.2.1", accepted, repeats("HTTP/1.1 200 OK\r\n", "X: x\r\n", 0), "HTTP: failed", 0},
		{"slow headers", "http://192.0.2.1", accepted, repeats("HTTP/1.1 200 OK\r\n", "X: x\r\n", 100*time.Millisecond), "HTTP: timeout", defaultTimeout},
		{"a body without end", "http://192.0.2.1", accepted, repeats("HTTP/1.1 200 OK\r\n\r\n", strings.Repeat("x", 1000), 0), "", 0},
		{"a slow body", "http://192.0.2.1", accepted, repeats("HTTP/1.1 200 OK\r\n\r\n", "x", 100*time.Millisecond), "", defaultTimeout},
		{"a bad body", "http://192.0.2.1", accepted, says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + evil), "", 0},
		{"hung TLS handshake", "https://192.0.2.1", accepted, silent, "TLS handshake: timeout", defaultTimeout},
		{"TLS that reads nothing", "https://192.0.2.1", accepted, unread, "TLS handshake: timeout", defaultTimeout},
		{"no TLS", "https://192.0.2.1", accepted, func(conn net.Conn) {
			go silent(conn)
			_, _ = io.WriteString(conn, "HTTP/1.1 400 "+evil+"\r\n\r\n")
		}, "TLS handshake: failed", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := &network{serve: test.serve}
				n.set(test.dial)
				c := newChecker(key{url: test.url, timeout: defaultTimeout}, n.dial)
				began := time.Now()
				got := ""
				if err := c.check(t.Context()); err != nil {
					got = err.Error()
				}
				if took := time.Since(began); got != test.want || took != test.took {
					t.Errorf("%q after %v, want %q after %v", got, took, test.want, test.took)
				}
				n.serving.Wait()
			})
		})
	}
}

// TestRequest: a gateway is asked for the URL, without a credential, on a connection that is
// closed.
func TestRequest(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	synctest.Test(t, func(t *testing.T) {
		asked := make(chan *http.Request, 1)
		n := &network{serve: func(conn net.Conn) {
			asked <- read(conn)
			_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
		}}
		c := newChecker(key{url: "http://user:secret@gw.example/alive?x=1", timeout: time.Second}, n.dial)
		for range 2 {
			if err := c.check(t.Context()); err != nil {
				t.Fatal(err)
			}
			r := <-asked
			if r.Method != "GET" || r.Host != "gw.example" || r.RequestURI != "/alive?x=1" || r.Header.Get("Authorization") != "" || !r.Close {
				t.Errorf("%+v", r)
			}
		}
		n.serving.Wait()
	})
}

// TestLoopback: the same over real connections.
func TestLoopback(t *testing.T) {
	status := http.StatusOK
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/moved" {
			http.Redirect(w, r, "/dead", http.StatusFound)
			return
		}
		if r.URL.Path == "/dead" {
			status = http.StatusServiceUnavailable
		}
		w.WriteHeader(status)
	})
	plain, secure := httptest.NewServer(handler), httptest.NewUnstartedServer(handler)
	secure.TLS = &tls.Config{NextProtos: []string{"h2", "http/1.1"}}
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer plain.Close()
	defer secure.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, test := range []struct{ url, want string }{
		{"tcp://" + plain.Listener.Addr().String(), ""},
		{"tcp://" + closed.Addr().String(), "connect: connection refused"},
		{plain.URL + "/moved", ""},
		{secure.URL, ""},
		{"https" + strings.TrimPrefix(plain.URL, "http"), "TLS handshake: failed"},
		{secure.URL + "/dead", "status 503"},
		{"http" + strings.TrimPrefix(secure.URL, "https"), ""}, // 400: it is alive, whatever it wants
		{"tcp://[::1]:70000", "connect: failed"},
	} {
		got := ""
		if err := newChecker(key{url: test.url, timeout: time.Minute}, nil).check(t.Context()); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", test.url, got, test.want)
		}
	}
}

// TestCause: errors are in our own words.
func TestCause(t *testing.T) {
	const evil = "visit evil.example"
	over, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	for _, test := range []struct {
		ctx  context.Context
		err  error
		want string
	}{
		{nil, errors.New(evil), "failed"},
		{over, errors.New(evil), "timeout"},
		{nil, &net.OpError{Op: evil, Err: syscall.ETIMEDOUT}, "timeout"},
		{nil, &net.OpError{Op: evil, Err: syscall.EHOSTUNREACH}, "no route to host"},
		{nil, &net.DNSError{Err: evil, Name: evil, Server: evil}, "host name not resolved"},
		{nil, &net.DNSError{Err: evil, Name: evil, IsTimeout: true}, "timeout"},
		{nil, fmt.Errorf("%s: %w", evil, syscall.EMFILE), errResources.Error()},
	} {
		if got := cause(cmp.Or[context.Context](test.ctx, t.Context()), test.err).Error(); got != test.want {
			t.Errorf("%v: %q, want %q", test.err, got, test.want)
		}
	}
}
