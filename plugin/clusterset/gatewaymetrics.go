package clusterset

import "github.com/coredns-clusterset/clusterset/plugin/clusterset/probe"

var gatewayUp = gauge("gateway_up", "Whether a member's gateway passes its probe.", "cluster")

// acquireGatewayMetrics returns the series of a member's gateway, until release: a member may
// stay, and have a probe no more.
func acquireGatewayMetrics(cluster string) (up probe.Gauge, release func()) {
	m := acquireSeries(cluster)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gateways++
	return gatewayUp.WithLabelValues(cluster), m.releaseGateway
}

func (m *memberMetrics) releaseGateway() {
	m.mu.Lock()
	if m.gateways--; m.gateways == 0 {
		gatewayUp.DeleteLabelValues(m.cluster)
	}
	m.mu.Unlock()
	m.Release()
}
