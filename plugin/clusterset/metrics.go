package clusterset

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/answercache"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/discovery"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/registry"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/selection"
)

// Labels are members, their upstreams and fixed words, never names that are asked
// nor addresses in answers: a series each would be as many as there are services.
var (
	responses = counter("responses_total", "Counter of replies about a member's names, by where the answer came from.", "cluster", "source", "rcode")

	guarded   = counter("guarded_addresses_total", "Counter of records dropped because their address, or the name of one, can't be the member's own.", "cluster")
	exhausted = counter("lookup_limit_total", "Counter of questions that failed because they made too many look-ups.", "cluster")

	apiTroubles = counter("api_troubles_total", "Counter of troubles with a member's API, each once when it begins.", "cluster", "reason")
	apiLists    = counter("api_lists_total", "Counter of the times that all of a member's data were listed.", "cluster")
	programming = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Namespace:                   plugin.Namespace,
		Subsystem:                   pluginName,
		Name:                        "dns_programming_duration_seconds",
		Buckets:                     prometheus.ExponentialBuckets(0.001, 2, 20), // as kubernetes has them
		NativeHistogramBucketFactor: plugin.NativeHistogramBucketFactor,
		Help:                        "Histogram of the time from a change of a member's endpoints to the first answer that could show it.",
	}, []string{"cluster"})

	clusters     = gauge("clusters", "Number of members in the ClusterSet.")
	overlaps     = gauge("cidr_overlaps", "Number of pairs of members of one network whose CIDRs overlap, counted up to 1000.")
	configErrors = counter("config_errors_total", "Counter of ClusterSet documents that could not be read or used.").WithLabelValues()
	configGood   = gauge("config_last_load_successful", "Whether the ClusterSet document now in its source is the one in use.")
	configTime   = gauge("config_last_load_timestamp_seconds", "Unix time at which the ClusterSet in use was put in force.")
)

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return promauto.NewCounterVec(prometheus.CounterOpts{Namespace: plugin.Namespace, Subsystem: pluginName, Name: name, Help: help}, labels)
}

func gauge(name, help string) prometheus.Gauge {
	return promauto.NewGauge(prometheus.GaugeOpts{Namespace: plugin.Namespace, Subsystem: pluginName, Name: name, Help: help})
}

// rcodes that replies have; a rarer one is counted as "OTHER".
const rcodes = dns.RcodeRefused + 1

func rcodeWord(rcode int) string {
	if rcode >= rcodes {
		return "OTHER"
	}
	return dns.RcodeToString[rcode]
}

// memberMetrics are a member's series, bound once.
type memberMetrics struct {
	cluster   string
	responses [question.Sources][rcodes + 1]atomic.Pointer[prometheus.Counter] // bound by the first reply of their kind
	choices   [selection.SpillOver + 1]atomic.Pointer[prometheus.Counter]      // the same
	guarded   prometheus.Counter
	exhausted prometheus.Counter
	exchange  exchange.Metrics
	cache     cacheMetrics

	mu        sync.Mutex
	upstreams map[string]int // that have series, and how many clients use those
}

var _ members.Metrics = (*memberMetrics)(nil)

// memberSeries are the members that have series. A member changed, or known to several server
// blocks or to both instances of a reload, has several users.
var memberSeries registry.Registry[string, *memberMetrics]

// acquireMetrics returns the member's series, until Release.
func acquireMetrics(cluster string) members.Metrics { return acquireSeries(cluster) }

// acquireDataMetrics returns the series of a member whose data are watched, until release.
func acquireDataMetrics(cluster string) (metrics member.Metrics, release func()) {
	m := acquireSeries(cluster)
	return m.data(), m.Release
}

func acquireSeries(cluster string) *memberMetrics {
	m, _ := memberSeries.Acquire(cluster, func() (*memberMetrics, error) { return newMemberMetrics(cluster), nil })
	return m
}

// Release deletes the member's series when nobody uses them any more.
func (m *memberMetrics) Release() { memberSeries.Release(m.cluster) }

// Exchange implements members.Metrics.
func (m *memberMetrics) Exchange() exchange.Metrics { return m.exchange }

// Cache implements members.Metrics.
func (m *memberMetrics) Cache() answercache.Metrics { return m.cache.ofCache }

func newMemberMetrics(cluster string) *memberMetrics {
	m := &memberMetrics{
		cluster: cluster, guarded: guarded.WithLabelValues(cluster), exhausted: exhausted.WithLabelValues(cluster),
		cache: newCacheMetrics(cluster), upstreams: make(map[string]int),
	}
	m.exchange = exchangeMetrics(cluster)
	m.exchange.Upstream = m.upstream
	return m
}

// upstream returns the series of one of the member's upstreams, until ReleaseUpstreams.
func (m *memberMetrics) upstream(u model.Upstream) exchange.UpstreamMetrics {
	m.mu.Lock()
	m.upstreams[u.String()]++
	m.mu.Unlock()
	return upstreamMetrics(m.cluster, u.String())
}

// ReleaseUpstreams ends a client's part in the series of its upstreams: a member may
// stay, and have another upstream each time that the ClusterSet changes.
func (m *memberMetrics) ReleaseUpstreams(all []model.Upstream) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, u := range all {
		if m.upstreams[u.String()]--; m.upstreams[u.String()] == 0 {
			delete(m.upstreams, u.String())
			deleteUpstreamSeries(m.cluster, u.String())
		}
	}
}

// data are the series of a member whose data are watched.
func (m *memberMetrics) data() member.Metrics {
	bound := member.Metrics{
		Lists:       apiLists.WithLabelValues(m.cluster),
		Programming: programming.WithLabelValues(m.cluster),
	}
	for reason := range bound.Troubles {
		bound.Troubles[reason] = apiTroubles.WithLabelValues(m.cluster, failure.Reason(reason).String())
	}
	return bound
}

// count updates the member's series from a Resolution; replied is whether that is a reply to a
// client, and not part of one.
func count(res *question.Resolution, replied bool) {
	m := res.Member.Metrics.(*memberMetrics) // acquireMetrics made it
	switch res.Cache.Result {
	case question.CacheHit:
		m.cache.hits[res.Cache.Kind].Inc()
	case question.CacheMiss:
		m.cache.misses.Inc()
	}
	if replied && res.Action != question.AskNext {
		rcode := min(res.Rcode, rcodes)
		bound := m.responses[res.Source][rcode].Load()
		if bound == nil {
			bound = m.bind(res.Source, rcode)
		}
		(*bound).Inc()
	}
	if res.Rare != (question.Rare{}) {
		m.countRare(&res.Rare)
	}
}

// bind binds the counter of replies from a source with an rcode.
func (m *memberMetrics) bind(source question.Source, rcode int) *prometheus.Counter {
	c := responses.WithLabelValues(m.cluster, source.String(), rcodeWord(rcode))
	m.responses[source][rcode].Store(&c)
	return &c
}

// countRare updates the series that few Resolutions change.
func (m *memberMetrics) countRare(rare *question.Rare) {
	for _, c := range []struct {
		happened bool
		counter  prometheus.Counter
	}{
		{rare.Prefetched, m.cache.prefetches},
		{rare.Expired, m.cache.servedStale},
		{rare.Exhausted, m.exhausted},
		{rare.Busy, m.exchange.Rejected},
	} {
		if c.happened {
			c.counter.Inc()
		}
	}
	m.guarded.Add(float64(rare.Excluded[question.Guarded]))
}

// observeUpdate logs and counts an update from the ClusterSet's source.
func observeUpdate(u discovery.Update) {
	if u.Err != nil {
		configErrors.Inc()
		configGood.Set(0)
		kept := "there is none to keep"
		if u.Set != nil {
			kept = "the last good one stays in force"
		}
		log.Errorf("ClusterSet unusable, %s: %s", kept, strings.ReplaceAll(u.Err.Error(), "\n", "; "))
		return
	}
	found := model.Overlaps(u.Set.Clusters)
	overlapLog.tell(found)
	clusters.Set(float64(len(u.Set.Clusters)))
	overlaps.Set(float64(len(found)))
	configGood.Set(1)
	configTime.SetToCurrentTime()
	log.Infof("ClusterSet in force: %d members", len(u.Set.Clusters))
}

// maxOverlapsLogged bounds the log.
const maxOverlapsLogged = 10

// overlapLog logs overlapping CIDRs when they have changed.
var overlapLog overlapTeller

type overlapTeller struct {
	mu   sync.Mutex
	last string
}

func (t *overlapTeller) tell(found []model.Overlap) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if text := fmt.Sprint(found); text != t.last {
		t.last = text
		logOverlaps(found)
	}
}

func logOverlaps(found []model.Overlap) {
	for i, o := range found {
		if i == maxOverlapsLogged {
			log.Warningf("... and %d more pairs", len(found)-i)
			return
		}
		log.Warningf("%s: no PTR is served for what they share", o)
	}
}
