package clusterset

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/answercache"
)

// Metrics of the cache of members' answers, named as those of CoreDNS's cache plugin.
var (
	cacheEvictions  = counter("cache_evictions_total", "Counter of a member's answers that made room in the cache.", "cluster", "type")
	cacheHits       = counter("cache_hits_total", "Counter of queries answered from the cache.", "cluster", "type")
	cacheMisses     = counter("cache_misses_total", "Counter of queries that the cache had no fresh answer for.", "cluster")
	cachePrefetches = counter("cache_prefetch_total", "Counter of answers fetched again before they expired.", "cluster")
	cacheStale      = counter("cache_served_stale_total", "Counter of queries answered from the cache with a stale answer.", "cluster")
)

// cacheMetrics are what concerns a member's cached answers.
type cacheMetrics struct {
	ofCache                         answercache.Metrics
	hits                            [answercache.Kinds]prometheus.Counter
	misses, prefetches, servedStale prometheus.Counter
}

// cacheTypes are the words of CoreDNS's cache plugin.
var cacheTypes = [answercache.Kinds]string{answercache.Positive: "success", answercache.Negative: "denial"}

func newCacheMetrics(cluster string) cacheMetrics {
	m := cacheMetrics{
		misses:      cacheMisses.WithLabelValues(cluster),
		prefetches:  cachePrefetches.WithLabelValues(cluster),
		servedStale: cacheStale.WithLabelValues(cluster),
	}
	for kind, word := range cacheTypes {
		m.ofCache.Evicted[kind] = cacheEvictions.WithLabelValues(cluster, word)
		m.hits[kind] = cacheHits.WithLabelValues(cluster, word)
	}
	return m
}
