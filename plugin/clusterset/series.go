package clusterset

import (
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
)

// vector is a metric with labels.
type vector interface {
	DeleteLabelValues(values ...string) bool
}

// Close deletes the member's series, each by its labels: a search among those of
// all members (DeletePartialMatch) takes a minute where 4,000 leave.
func (m *memberMetrics) Close() {
	for _, v := range []vector{
		guarded, exhausted, coalesced, rejects, apiLists, programming,
		cacheMisses, cachePrefetches, cacheStale,
	} {
		v.DeleteLabelValues(m.cluster)
	}
	for source := range m.responses {
		for rcode := range m.responses[source] {
			if m.responses[source][rcode].Load() != nil {
				responses.DeleteLabelValues(m.cluster, question.Source(source).String(), rcodeWord(rcode))
			}
		}
	}
	m.deleteChoices()
	for _, word := range cacheTypes {
		for _, v := range []vector{cacheEvictions, cacheHits} {
			v.DeleteLabelValues(m.cluster, word)
		}
	}
	var data member.Metrics
	for reason := range data.Troubles {
		apiTroubles.DeleteLabelValues(m.cluster, failure.Reason(reason).String())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for upstream := range m.upstreams {
		deleteUpstreamSeries(m.cluster, upstream)
	}
}

func deleteUpstreamSeries(cluster, upstream string) {
	for _, v := range []vector{upstreamDuration, upstreamResends, upstreamHedges, upstreamHedgesWon, upstreamEjections} {
		v.DeleteLabelValues(cluster, upstream)
	}
	var of exchange.UpstreamMetrics
	for rcode := range of.Replies {
		upstreamReplies.DeleteLabelValues(cluster, upstream, rcodeWord(rcode))
	}
	for reason := range of.Failed {
		upstreamFailures.DeleteLabelValues(cluster, upstream, reasonWord(reason))
	}
	for reason := range of.Dropped {
		droppedReplies.DeleteLabelValues(cluster, upstream, transport.Drop(reason).String())
	}
}
