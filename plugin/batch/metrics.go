package batch

import (
	"github.com/coredns/coredns/plugin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

var (
	readsCount = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: "batch", Name: "reads_total",
		Help: "Counter of reads of a server's socket, each of one packet or more.",
	}, []string{"server"})
	packetsCount = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: "batch", Name: "packets_total",
		Help: "Counter of packets read.",
	}, []string{"server"})
	passedOnCount = promauto.NewCounterVec(prometheus.CounterOpts{
		Namespace: plugin.Namespace, Subsystem: "batch", Name: "passed_on_total",
		Help: "Counter of batches that were passed on while a handler worked on one of their queries, since it was about to wait or took long.",
	}, []string{"server", "reason"})
)

// counts are a server's counters.
type counts struct {
	reads, packets, waited, slow prometheus.Counter
}

func newCounts(server string) *counts {
	return &counts{
		reads: readsCount.WithLabelValues(server), packets: packetsCount.WithLabelValues(server),
		waited: passedOnCount.WithLabelValues(server, "waits"), slow: passedOnCount.WithLabelValues(server, "slow"),
	}
}

func (c *counts) read(packets int) {
	c.reads.Inc()
	c.packets.Add(float64(packets))
}
