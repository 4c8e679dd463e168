package clusterset

import (
	"github.com/coredns/coredns/plugin"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/answercache"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// Gauges of members are read from the Status of those in force when they are scraped, so none
// can be out of date, and a member that left has none.
var (
	upstreams    = gaugeDesc("upstreams", "Number of a member's upstreams in each state; one that is ejected is up.", "cluster", "state")
	cacheEntries = gaugeDesc("cache_entries", "Number of a member's answers in the cache.", "cluster", "type")
	gatewayUp    = gaugeDesc("gateway_up", "Whether a member's gateway passes its probe.", "cluster")
	dataState    = gaugeDesc("data_state", "Whether a member's data are in each state.", "cluster", "state")
	dataServices = gaugeDesc("data_services", "Number of a member's Services in its data.", "cluster")
	dataSlices   = gaugeDesc("data_endpoint_slices", "Number of a member's EndpointSlices in its data.", "cluster")
	apiExpiry    = gaugeDesc("api_credentials_expiry_timestamp_seconds", "Unix time at which the credentials for a member's API expire; 0 where that isn't known.", "cluster")
)

func gaugeDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(plugin.Namespace, pluginName, name), help, labels, nil)
}

// runningSet are the plugins whose members are in force, in the order they were started.
type runningSet struct{ plugins }

var running runningSet

func init() { prometheus.MustRegister(&running) }

// Describe implements prometheus.Collector.
func (r *runningSet) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{upstreams, cacheEntries, gatewayUp, dataState, dataServices, dataSlices, apiExpiry} {
		to <- d
	}
}

// Collect implements prometheus.Collector. A query waits for none of it: what locks there are
// in a Status are a member's own, and held for a moment.
func (r *runningSet) Collect(to chan<- prometheus.Metric) {
	byName := make(map[string]*memberGauges)
	for _, p := range r.list() {
		set := p.resolver.Members()
		if set == nil {
			continue
		}
		for _, m := range set.Sorted() {
			if byName[m.Name] == nil {
				byName[m.Name] = newMemberGauges(to, m.Name)
			}
			byName[m.Name].add(m)
		}
	}
	for _, g := range byName {
		g.collect()
	}
}

// memberGauges are one member's. What each server block has of its own is summed: clients and
// caches. Data and gateways are shared, and the first one's.
type memberGauges struct {
	to      chan<- prometheus.Metric
	cluster string

	upstreams map[status.UpstreamState]int
	entries   [answercache.Kinds]int
	data      *status.Data
	gateway   *status.Gateway
}

func newMemberGauges(to chan<- prometheus.Metric, cluster string) *memberGauges {
	return &memberGauges{
		to: to, cluster: cluster,
		upstreams: map[status.UpstreamState]int{status.Up: 0, status.Down: 0, status.Ejected: 0}, // a member that can't be asked has none
	}
}

func (g *memberGauges) add(m *members.Member) {
	if m.Client != nil {
		for _, u := range m.Client.Status().Upstreams {
			g.upstreams[u.State]++
			if u.State == status.Ejected {
				g.upstreams[status.Up]++
			}
		}
	}
	if m.Answers != nil {
		cache := m.Answers.Status()
		g.entries[answercache.Positive] += cache.Positive.Entries
		g.entries[answercache.Negative] += cache.Negative.Entries
	}
	if m.Data != nil && g.data == nil {
		data := m.Data.Status()
		g.data = &data
	}
	if m.Gateway != nil && g.gateway == nil {
		gateway := m.Gateway.Status()
		g.gateway = &gateway
	}
}

func (g *memberGauges) collect() {
	for state, n := range g.upstreams {
		g.send(upstreams, float64(n), string(state))
	}
	for kind, word := range cacheTypes {
		g.send(cacheEntries, float64(g.entries[kind]), word)
	}
	if g.gateway != nil {
		g.send(gatewayUp, oneIf(g.gateway.Alive))
	}
	if g.data == nil {
		return
	}
	for state := member.Unsynced; state <= member.Stale; state++ {
		g.send(dataState, oneIf(string(g.data.State) == state.String()), state.String())
	}
	g.send(dataServices, float64(g.data.Services))
	g.send(dataSlices, float64(g.data.EndpointSlices))
	expires := 0.0
	if end := g.data.Credentials.Expires; !end.IsZero() {
		expires = float64(end.Unix())
	}
	g.send(apiExpiry, expires)
}

func (g *memberGauges) send(desc *prometheus.Desc, value float64, labels ...string) {
	g.to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, append([]string{g.cluster}, labels...)...)
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
