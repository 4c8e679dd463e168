package members

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/answercache"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// testOptions are those of a manager whose metrics nobody reads.
func testOptions(publish func(*Set)) *Options {
	return &Options{
		Cache: 1000, NegativeTTL: 5, ServeStale: time.Hour, Timeout: 2 * time.Second, MaxConcurrent: 1000,
		Metrics: func(string) Metrics { return unread{} }, DataMetrics: unreadData,
		Publish: publish, Log: silent{},
	}
}

type silent struct{}

func (silent) Infof(string, ...any)    {}
func (silent) Warningf(string, ...any) {}
func (silent) Errorf(string, ...any)   {}

// unread are metrics that nobody reads.
type unread struct{}

func newCounter() prometheus.Counter { return prometheus.NewCounter(prometheus.CounterOpts{}) }

func (unread) Exchange() exchange.Metrics {
	return exchange.Metrics{
		Coalesced: newCounter(), Rejected: newCounter(),
		Upstream: func(model.Upstream) exchange.UpstreamMetrics { return exchange.UpstreamMetrics{} },
	}
}

func (unread) Cache() answercache.Metrics {
	var m answercache.Metrics
	for kind := range m.Evicted {
		m.Evicted[kind] = newCounter()
	}
	return m
}

func (unread) ReleaseUpstreams([]model.Upstream) {}
func (unread) Release()                          {}

func unreadData(string) (member.Metrics, func()) {
	m := member.Metrics{
		Lists: newCounter(), Programming: prometheus.NewHistogram(prometheus.HistogramOpts{}),
	}
	for reason := range m.Troubles {
		m.Troubles[reason] = newCounter()
	}
	return m, func() {}
}
