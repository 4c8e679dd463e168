package exchange

import (
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"

	"github.com/miekg/dns"
)

// transport is a way to an upstream. Its methods may be called at the same time.
type transport interface {
	// send sends the call's message, as its nth send: at once, or as soon as there
	// is a connection. The call gets one outcome for it, unless it takes the send
	// back. fresh wants another connection than the queries before had. An error
	// means that there will be no outcome.
	send(c *call, n int, fresh bool) error
	// fail ends what is in flight with err.
	fail(err error)
	// close ends everything; when it returns, no socket and no goroutine is left.
	close()
}

// upstream is one address of the member's DNS service.
type upstream struct {
	address model.Upstream
	client  *Client
	// bit is its place in a set. Of more than 64 upstreams the last share one, so that
	// a query which one of those fails leaves them all out.
	bit     uint64
	metrics UpstreamMetrics
	// udp is only of a dns:// address.
	udp, stream transport
	// edns and streams are what it may lack.
	edns, streams lack
	latency       latency
	health        health
	ejection      ejection
}

func newUpstream(address model.Upstream, nth int, c *Client) *upstream {
	u := &upstream{address: address, client: c, bit: 1 << min(nth, 63), metrics: c.options.Metrics.Upstream(address)}
	u.health.hurry = make(chan struct{}, 1)
	u.stream = newStream(address, c.options.TLS, c.options.Timeout, u.dropped)
	if address.Scheme == model.DNS {
		u.udp = newUDP(address.Addr, u.dropped)
	}
	u.edns = lack{hold: time.Hour, test: u.takesEDNS}
	u.streams = lack{hold: time.Minute, test: u.hasStream}
	return u
}

// newStream is the transport for all but UDP.
func newStream(address model.Upstream, tls *TLSConfig, timeout time.Duration, dropped func(Drop)) transport {
	switch address.Scheme {
	case model.HTTPS, model.QUIC:
		return newRequestTransport(address, tls, timeout)
	case model.DoT:
		return newStreamTransport(address, tls.forUpstream(address), dropped)
	}
	return newStreamTransport(address, nil, dropped)
}

func (u *upstream) dropped(why Drop) { u.metrics.Dropped[why].Inc() }

// over is the transport for a query, and whether that is a stream.
func (u *upstream) over(stream bool) (t transport, isStream bool) {
	if u.udp != nil && !stream {
		return u.udp, false
	}
	return u.stream, true
}

// fail ends what is in flight.
func (u *upstream) fail(err error) {
	if u.udp != nil {
		u.udp.fail(err)
	}
	u.stream.fail(err)
}

func (u *upstream) close() {
	if u.udp != nil {
		u.udp.close()
	}
	u.stream.close()
}

// isFailure reports whether an rcode is no answer: all but NOERROR and NXDOMAIN are the
// upstream's own failure, and say nothing about the name.
func isFailure(rcode int) bool { return rcode != dns.RcodeSuccess && rcode != dns.RcodeNameError }

func rcodeFailure(reply *dns.Msg) error {
	if isFailure(reply.Rcode) {
		return rcodeError(reply.Rcode)
	}
	return nil
}
