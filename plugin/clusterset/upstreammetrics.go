package clusterset

import (
	"strings"

	"github.com/coredns/coredns/plugin"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
)

// What asking the members' DNS shows. An upstream is as the ClusterSet has it, and
// they are few.
var (
	coalesced = counter("coalesced_queries_total", "Counter of queries that waited for the reply to an equal one.", "cluster")
	rejects   = counter("max_concurrent_rejects_total", "Counter of queries refused because too many were in flight for the member.", "cluster")

	upstreamDuration = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Namespace:                   plugin.Namespace,
		Subsystem:                   pluginName,
		Name:                        "upstream_duration_seconds",
		Buckets:                     plugin.TimeBuckets,
		NativeHistogramBucketFactor: plugin.NativeHistogramBucketFactor,
		Help:                        "Histogram of the time an upstream took to reply.",
	}, []string{"cluster", "upstream"})
	upstreamReplies   = counter("upstream_replies_total", "Counter of an upstream's replies.", "cluster", "upstream", "rcode")
	upstreamFailures  = counter("upstream_failures_total", "Counter of queries that an upstream failed.", "cluster", "upstream", "reason")
	upstreamResends   = counter("upstream_resends_total", "Counter of queries sent to an upstream again, or after another, for want of a reply.", "cluster", "upstream")
	upstreamHedges    = counter("upstream_hedges_total", "Counter of queries sent to an upstream because an earlier reply took longer than usual.", "cluster", "upstream")
	upstreamHedgesWon = counter("upstream_hedges_won_total", "Counter of those of them whose reply came first.", "cluster", "upstream")
	upstreamEjections = counter("upstream_ejections_total", "Counter of the times an upstream was ejected.", "cluster", "upstream")
	droppedReplies    = counter("dropped_replies_total", "Counter of an upstream's replies that did not match what it was asked, or came late.", "cluster", "upstream", "reason")
)

// exchangeMetrics are the series of asking one member, but for its upstreams'.
func exchangeMetrics(cluster string) exchange.Metrics {
	return exchange.Metrics{
		Coalesced: coalesced.WithLabelValues(cluster),
		Rejected:  rejects.WithLabelValues(cluster),
	}
}

func upstreamMetrics(cluster, upstream string) exchange.UpstreamMetrics {
	m := exchange.UpstreamMetrics{
		Duration:      upstreamDuration.WithLabelValues(cluster, upstream),
		Retransmitted: upstreamResends.WithLabelValues(cluster, upstream),
		Hedged:        upstreamHedges.WithLabelValues(cluster, upstream),
		HedgesWon:     upstreamHedgesWon.WithLabelValues(cluster, upstream),
		Ejections:     upstreamEjections.WithLabelValues(cluster, upstream),
	}
	for rcode := range m.Replies {
		m.Replies[rcode] = upstreamReplies.WithLabelValues(cluster, upstream, rcodeWord(rcode))
	}
	for reason := range m.Failed {
		m.Failed[reason] = upstreamFailures.WithLabelValues(cluster, upstream, reasonWord(reason))
	}
	for reason := range m.Dropped {
		m.Dropped[reason] = droppedReplies.WithLabelValues(cluster, upstream, transport.Drop(reason).String())
	}
	return m
}

func reasonWord(reason int) string {
	return strings.ReplaceAll(exchange.Reason(reason).String(), " ", "_")
}
