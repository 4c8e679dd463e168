package members

import (
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/probe"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/registry"
)

// gateway is the probing of a member's gateway. Server blocks share it, and so do the old and the
// new instance of a reload: a change is logged once, and a new instance knows who is dead.
type gateway struct{ *probe.Probe }

type gatewayKey struct{ cluster, url string }

var allGateways registry.Registry[gatewayKey, *gateway]

// acquireGateway begins, or shares, the probing of the member's gateway, until releaseGateway.
// It returns nil for a member without a probe.
func (o *Options) acquireGateway(c *model.Cluster) *probe.Probe {
	if c.Probe == "" {
		return nil
	}
	shared, _ := allGateways.Acquire(gatewayKey{c.Name, c.Probe}, func() (*gateway, error) {
		return &gateway{probe.Start(c.Probe, probe.Options{Changed: o.logGateway(c.Name)})}, nil
	})
	return shared.Probe
}

func releaseGateway(c *model.Cluster) { allGateways.Release(gatewayKey{c.Name, c.Probe}) }

// Close implements registry.Value.
func (g *gateway) Close() { g.Stop() }

func (o *Options) logGateway(name string) func(bool, error) {
	return func(alive bool, err error) {
		if !alive {
			o.Log.Warningf("Member %s: gateway is down: %v", name, err)
			return
		}
		o.Log.Infof("Member %s: gateway is back", name)
	}
}
