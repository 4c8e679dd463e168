package exchange

import (
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Metrics are the counters of one member, bound to its labels. All of them must
// be set.
type Metrics struct {
	// Coalesced counts the queries that waited for an equal one in flight.
	Coalesced prometheus.Counter
	// Rejected counts the queries that Inflight had no room for.
	Rejected prometheus.Counter
	// Upstream returns those of one of its upstreams.
	Upstream func(model.Upstream) UpstreamMetrics
}

// UpstreamMetrics are the counters of one upstream.
type UpstreamMetrics struct {
	Ejections prometheus.Counter
	// Duration is the time of each message that got a reply, in seconds.
	Duration prometheus.Observer
	// Replies counts them, by rcode; the last is of all rcodes that have no place.
	Replies [Rcodes + 1]prometheus.Counter
	// Failed counts the messages that got none, or a useless one, by Reason.
	Failed [attemptReasons]prometheus.Counter
	// Dropped counts the replies that were dropped, by Drop.
	Dropped [transport.Drops]prometheus.Counter
	// Retransmitted counts the retransmissions, Hedged the messages
	// that went to this upstream because another took long, and HedgesWon those of
	// them whose reply came first.
	Retransmitted, Hedged, HedgesWon prometheus.Counter
}

// Rcodes are those that replies have, NOERROR to REFUSED.
const Rcodes = dns.RcodeRefused + 1

func (m *UpstreamMetrics) reply(rcode int) {
	m.Replies[min(rcode, Rcodes)].Inc()
}
