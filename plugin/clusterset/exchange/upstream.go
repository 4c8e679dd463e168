package exchange

import (
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// upstream is one address of the member's DNS service.
type upstream struct {
	address model.Upstream
	client  *Client
	// bit is its place in a set. Of more than 64 upstreams the last share one, so that
	// a query which one of those fails leaves them all out.
	bit     uint64
	metrics UpstreamMetrics
	// datagrams is nil unless the address is dns://.
	datagrams, streams transport.Transport
	// edns and streaming are what it may not support; streaming is of dns:// addresses.
	edns, streaming capability
	latency         latency
	health          health
	ejection        ejection
}

func newUpstream(address model.Upstream, nth int, c *Client) *upstream {
	u := &upstream{address: address, client: c, bit: 1 << min(nth, 63), metrics: c.options.Metrics.Upstream(address)}
	u.health.u, u.health.hurry, u.health.since = u, make(chan struct{}, 1), c.made
	u.ejection.u = u
	u.edns = capability{client: c, hold: time.Hour, probe: u.probeEDNS}
	u.streaming = capability{client: c, hold: time.Minute, probe: u.probeStream}
	u.datagrams, u.streams = transport.New(address, transport.Options{
		TLS: c.options.TLS, Timeout: c.options.Timeout,
		Dropped: func(why transport.Drop) { u.metrics.Dropped[why].Inc() },
	})
	return u
}

// transport returns the one for a message, and whether that is a stream.
func (u *upstream) transport(stream bool) (t transport.Transport, isStream bool) {
	if u.datagrams != nil && !stream {
		return u.datagrams, false
	}
	return u.streams, true
}

// fail ends what is in flight.
func (u *upstream) fail(err error) {
	if u.datagrams != nil {
		u.datagrams.Fail(err)
	}
	u.streams.Fail(err)
}

func (u *upstream) close() {
	if u.datagrams != nil {
		u.datagrams.Close()
	}
	u.streams.Close()
}

// inService reports whether the upstream is up and not ejected.
func (u *upstream) inService(now time.Time) bool {
	return !u.health.down.Load() && !u.ejection.active(now)
}

// replied counts a reply of the upstream, which took that long.
func (u *upstream) replied(now time.Time, took time.Duration, rcode int) {
	u.metrics.Duration.Observe(took.Seconds())
	u.metrics.reply(rcode)
	if u.latency.add(took) {
		u.ejection.compare(now)
	}
}
