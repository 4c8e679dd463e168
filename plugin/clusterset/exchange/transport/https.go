package transport

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"sync/atomic"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// dnsMessage is the media type of a query and a reply: RFC 8484, section 6.
const dnsMessage = "application/dns-message"

// maxHeaders is the most that a reply's HTTP headers may be, in bytes.
const maxHeaders = 16 << 10

// httpsSession is a session over HTTPS: RFC 8484. A reply comes from the upstream itself:
// no redirect is followed, no proxy asked, nothing decompressed.
type httpsSession struct {
	url, host string
	client    http.Client
	transport *http.Transport
	meter     *meter
}

func newHTTPSSession(address model.Upstream, config *TLSConfig) *httpsSession {
	m := new(meter)
	t := &http.Transport{
		DialContext:            m.dial,
		TLSClientConfig:        config.forUpstream(address),
		TLSHandshakeTimeout:    HandshakeTimeout,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxConnsPerHost:        streamConnsMax,
		MaxIdleConnsPerHost:    streamConns,
		IdleConnTimeout:        streamIdle,
		MaxResponseHeaderBytes: maxHeaders,
		// No more of a reply is read ahead than one may have: the meter's room is for two.
		HTTP2: &http.HTTP2Config{MaxReceiveBufferPerStream: dns.MaxMsgSize + 1},
	}
	u := url.URL{Scheme: "https", Host: address.Addr.String(), Path: "/dns-query"}
	withoutZone := netip.AddrPortFrom(address.Addr.Addr().WithZone(""), address.Addr.Port()).String()
	s := &httpsSession{url: u.String(), host: cmp.Or(config.config.ServerName, withoutZone), transport: t, meter: m}
	s.client = http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return s
}

// ask implements session.
func (s *httpsSession) ask(ctx context.Context, query []byte) (reply *[]byte, local net.Addr, err error) {
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { local = info.Conn.LocalAddr() },
	})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(query))
	if err != nil {
		return nil, nil, err
	}
	request.Host = s.host
	request.Header.Set("Content-Type", dnsMessage)
	request.Header.Set("Accept", dnsMessage)
	request.Header["X-Idempotency-Key"] = nil // not sent, and has net/http ask again on a kept connection that is closed
	s.meter.asked.Add(1)
	defer s.meter.asked.Add(-1)
	response, err := s.client.Do(request)
	if err != nil {
		return nil, local, s.meter.reason(err)
	}
	defer s.meter.read.Store(0) // whatever it was, it has been asked for
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, local, StatusError(response.StatusCode)
	}
	if media, _, err := mime.ParseMediaType(response.Header.Get("Content-Type")); err != nil || media != dnsMessage {
		return nil, local, wire.ErrMalformed
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, dns.MaxMsgSize+1))
	switch {
	case len(body) > dns.MaxMsgSize:
		return nil, local, wire.ErrMalformed
	case err != nil:
		return nil, local, s.meter.reason(err)
	}
	return &body, local, nil
}

// usable implements session: it has several connections, and opens more.
func (s *httpsSession) usable() bool { return !s.meter.over.Load() }

// close implements session.
func (s *httpsSession) close() { s.transport.CloseIdleConnections() }

// meter bounds what a session's connections read: HTTP/2 frames that belong to no reply may
// come without end.
type meter struct {
	// asked are the requests in flight; read is how many bytes came since the last reply.
	asked, read atomic.Int64
	over        atomic.Bool
}

// meterRoom is what may come between two replies, in bytes: two of the largest, which may
// come side by side, and meterShare more for each request under way.
const meterRoom, meterShare = 2 * (maxHeaders + dns.MaxMsgSize), wire.MaxSize

// reason returns why a request failed: HTTP/2 wraps the meter's error in others.
func (m *meter) reason(err error) error {
	if err != nil && m.over.Load() {
		return ErrUnasked
	}
	return err
}

func (m *meter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: HandshakeTimeout}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &metered{conn, m}, nil
}

// metered is a connection that is read as far as its meter allows.
type metered struct {
	net.Conn
	meter *meter
}

func (c *metered) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.meter.read.Add(int64(n)) > meterRoom+meterShare*c.meter.asked.Load() {
		c.meter.over.Store(true)
	}
	if c.meter.over.Load() {
		return 0, ErrUnasked
	}
	return n, err
}
