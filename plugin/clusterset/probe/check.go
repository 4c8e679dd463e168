package probe

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// maxReply is how much of a reply is read, in bytes: its header, and a small body, which a
// gateway's log would else call a connection that was reset.
const maxReply = 8 << 10

// checker probes one URL.
//
// It speaks HTTP/1.1 over a connection that it dials itself, rather than by net/http's client:
// no proxy, redirect, cookie or connection kept, and nothing that goes on once check has
// returned.
type checker struct {
	scheme, address string // address is empty where the URL can't be probed
	shown           string
	request         *http.Request // nil for tcp
	tls             *tls.Config   // nil but for https
	timeout         time.Duration
	dial            dialFunc
}

func newChecker(k key, dial dialFunc) *checker {
	c := &checker{timeout: k.timeout, dial: dial}
	if dial == nil {
		// Go's own resolver ends with its context; the C library's would keep a thread.
		c.dial = (&net.Dialer{Resolver: &net.Resolver{PreferGo: true}, KeepAlive: -1}).DialContext
	}
	u, err := url.Parse(k.url)
	if err != nil || u.Hostname() == "" {
		return c
	}
	ports := map[string]string{"tcp": "", "http": "80", "https": "443"}
	port, known := ports[u.Scheme]
	if u.Port() != "" {
		port = u.Port()
	}
	c.shown = shown(u)
	if !known || port == "" {
		return c
	}
	c.scheme, c.address = u.Scheme, net.JoinHostPort(u.Hostname(), port)
	if u.Scheme == "tcp" {
		return c
	}
	if c.request, err = http.NewRequest(http.MethodGet, u.String(), nil); err != nil {
		c.address = ""
		return c
	}
	c.request.Close = true
	c.request.Header.Set("User-Agent", "clusterset")
	if u.Scheme == "https" {
		// A gateway's certificate is for the names that it serves, seldom for its address, and
		// nothing is told to it: not verified, as by Kubernetes' and Envoy's health checks.
		c.tls = &tls.Config{ServerName: u.Hostname(), InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}}
	}
	return c
}

// check returns why the gateway isn't alive, nil where it is. It takes no longer than timeout,
// and returns at once when ctx ends.
func (c *checker) check(ctx context.Context) error {
	if c.address == "" {
		return errURL
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	conn, err := c.dial(ctx, "tcp", c.address)
	if err != nil {
		return failed(ctx, "connect", err)
	}
	defer closeWith(ctx, conn)()
	if c.request == nil {
		return nil
	}
	if c.tls != nil {
		secure := tls.Client(conn, c.tls) // not closed: that would wait for a peer that doesn't read
		if err := secure.HandshakeContext(ctx); err != nil {
			return failed(ctx, "TLS handshake", err)
		}
		conn = secure
	}
	return c.get(ctx, conn)
}

// get asks for the URL. A status below 500 proves the gateway alive: a redirect is not followed,
// and a 404 or 401 only says that it has something else to offer.
func (c *checker) get(ctx context.Context, conn net.Conn) error {
	const stage = "HTTP"
	if err := c.request.Write(conn); err != nil {
		return failed(ctx, stage, err)
	}
	reader := bufio.NewReader(io.LimitReader(conn, maxReply))
	for {
		reply, err := http.ReadResponse(reader, c.request)
		switch {
		case err != nil:
			return failed(ctx, stage, err)
		case reply.StatusCode >= 500:
			return statusError(reply.StatusCode)
		case reply.StatusCode >= 200 || reply.StatusCode == http.StatusSwitchingProtocols:
			_, _ = io.Copy(io.Discard, reply.Body) // whatever becomes of it, it is alive
			return nil
		} // else an interim reply, with the one that counts after it
	}
}

// closeWith closes conn when ctx ends. What it returns does so at once, and is to be called.
func closeWith(ctx context.Context, conn net.Conn) func() {
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		conn.Close()
		close(closed)
	})
	return func() {
		if stop() {
			conn.Close()
			return
		}
		<-closed
	}
}
