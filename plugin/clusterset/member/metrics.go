package member

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
)

// Metrics are one member's, bound to its labels. All of them must be set.
type Metrics struct {
	// Troubles counts failures by Reason, each once when it begins, not for every retry.
	Troubles [failure.Reasons]prometheus.Counter
	// Lists counts the times that everything was listed; the first is one.
	Lists prometheus.Counter
	// Programming is the time from a change in the member (the EndpointSlice's
	// trigger-time annotation) to the View that has it, in seconds: the DNS programming
	// latency of sig-scalability, as coredns_kubernetes_dns_programming_duration_seconds.
	Programming prometheus.Observer
}

// NoMetrics returns metrics that nobody reads.
func NoMetrics() Metrics {
	counter := func() prometheus.Counter { return prometheus.NewCounter(prometheus.CounterOpts{}) }
	m := Metrics{
		Lists: counter(), Programming: prometheus.NewHistogram(prometheus.HistogramOpts{}),
	}
	for reason := range m.Troubles {
		m.Troubles[reason] = counter()
	}
	return m
}
