package exchange

import "github.com/prometheus/client_golang/prometheus"

// Metrics are the counters of one member, bound to its labels. All of them must
// be set.
type Metrics struct {
	// Up and Down count the upstreams in each state.
	Up, Down prometheus.Gauge
	// Attempts is the time of each attempt that got a reply, in seconds.
	Attempts prometheus.Observer
	// Failed counts the attempts that got none, by Reason.
	Failed [attemptReasons]prometheus.Counter
	// Dropped counts the replies that didn't match what was asked.
	Dropped prometheus.Counter
	// Rejected counts the queries over MaxConcurrent.
	Rejected prometheus.Counter
}
