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
	latency     latency
	health      health
	ejection    ejection
}

func newUpstream(address model.Upstream, nth int, c *Client) *upstream {
	u := &upstream{address: address, client: c, bit: 1 << min(nth, 63), metrics: c.options.Metrics.Upstream(address)}
	u.health.hurry = make(chan struct{}, 1)
	u.stream = newStream(address, c.options.TLS, c.options.Timeout, u.dropped)
	if address.Scheme == model.DNS {
		u.udp = newUDP(address.Addr, u.dropped)
	}
	return u
}

// newStream is the transport for all but UDP.
func newStream(address model.Upstream, tls *TLSConfig, timeout time.Duration, dropped func(Drop)) transport {
	switch address.Scheme {
	case model.HTTPS, model.QUIC:
		return newProxied(address, tls, timeout)
	case model.DoT:
		return newStreamTransport(address, tls.forUpstream(), dropped)
	}
	return newStreamTransport(address, nil, dropped)
}

func (u *upstream) dropped(why Drop) { u.metrics.Dropped[why].Inc() }

// over is the transport for a query, and the protocol that it is told by: QUIC
// runs over UDP.
func (u *upstream) over(stream bool) (t transport, proto string) {
	switch {
	case u.udp != nil && !stream:
		return u.udp, overUDP
	case u.address.Scheme == model.QUIC:
		return u.stream, overUDP
	}
	return u.stream, overTCP
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

// rcodeFailure is why a reply is none: SERVFAIL and REFUSED are failures of the
// upstream, every other rcode is an answer.
func rcodeFailure(reply *dns.Msg) error {
	if reply.Rcode == dns.RcodeServerFailure || reply.Rcode == dns.RcodeRefused {
		return rcodeError(reply.Rcode)
	}
	return nil
}
