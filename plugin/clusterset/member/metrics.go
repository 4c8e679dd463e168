package member

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
)

// Metrics are one member's, bound to its labels. All of them must be set.
type Metrics struct {
	// State has a gauge for each State: 1 for the View's, else 0.
	State [states]prometheus.Gauge
	// Services and Slices count what the data hold.
	Services, Slices prometheus.Gauge
	// Troubles counts failures by Reason, each once when it begins, not for every retry.
	Troubles [failure.Reasons]prometheus.Counter
	// Lists counts the times that everything was listed; the first is one.
	Lists prometheus.Counter
	// Expires is when the credentials expire, in seconds since 1970; 0 where that isn't
	// known.
	Expires prometheus.Gauge
	// Programming is the time from a change in the member (the EndpointSlice's
	// trigger-time annotation) to the View that has it, in seconds: the DNS programming
	// latency of sig-scalability, as coredns_kubernetes_dns_programming_duration_seconds.
	Programming prometheus.Observer
}

const states = Stale + 1

// NoMetrics returns metrics that nobody reads.
func NoMetrics() Metrics {
	gauge := func() prometheus.Gauge { return prometheus.NewGauge(prometheus.GaugeOpts{}) }
	counter := func() prometheus.Counter { return prometheus.NewCounter(prometheus.CounterOpts{}) }
	m := Metrics{
		Services: gauge(), Slices: gauge(), Lists: counter(), Expires: gauge(),
		Programming: prometheus.NewHistogram(prometheus.HistogramOpts{}),
	}
	for state := range m.State {
		m.State[state] = gauge()
	}
	for reason := range m.Troubles {
		m.Troubles[reason] = counter()
	}
	return m
}
