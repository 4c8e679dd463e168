package clusterset

import (
	"time"

	"github.com/coredns/coredns/plugin/pkg/fall"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
)

// options are the Corefile's: README.md has them.
type options struct {
	file       string
	configMap  model.ObjectName
	kubeconfig string
	context    string
	local      string
	mode       model.Mode
	// exportsMarked hides services that are not exported.
	exportsMarked bool
	// multicluster are the zones of names over the whole ClusterSet, and affinity is whom
	// these prefer.
	multicluster []string
	affinity     model.Affinity
	ttl          uint32
	negativeTTL  uint32
	// cache is how many positive answers are kept; 0 is none at all.
	cache int
	// serveStale is how old data may be that nothing proves true, and how long past
	// its TTL an answer; 0 is not at all.
	serveStale time.Duration
	timeout    time.Duration
	hedging    exchange.Hedging
	// maxConcurrent is per member; 0 is no bound.
	maxConcurrent int64
	addressGuard  bool
	// status is where statuses are served, "" is nowhere.
	status string
	fall   fall.F
}

const (
	defaultTTL           = 5
	defaultNegativeTTL   = 5
	defaultCache         = 10000
	defaultServeStale    = time.Hour
	defaultTimeout       = 2 * time.Second
	defaultMaxConcurrent = 1000
)

func defaultOptions() options {
	return options{
		configMap:     model.ObjectName{Namespace: "kube-system", Name: "clusterset"},
		affinity:      model.AffinityLocal,
		ttl:           defaultTTL,
		negativeTTL:   defaultNegativeTTL,
		cache:         defaultCache,
		serveStale:    defaultServeStale,
		timeout:       defaultTimeout,
		maxConcurrent: defaultMaxConcurrent,
		addressGuard:  true,
	}
}

// forResolver returns what the resolver is to know of them.
func (p *Clusterset) forResolver() resolver.Options {
	o := &p.options
	return resolver.Options{
		Zones: question.NewZones(p.zones, o.multicluster), Mode: o.mode, ExportsMarked: o.exportsMarked, Affinity: o.affinity,
		TTL: o.ttl, NegativeTTL: o.negativeTTL, ServeStale: o.serveStale, Timeout: o.timeout, AddressGuard: o.addressGuard, HasNext: p.Next != nil,
		Addresses: p.addresses.current, Refreshing: p.refreshObserver,
	}
}

// forMembers returns what the members' manager is to know of them.
func (p *Clusterset) forMembers() *members.Options {
	o := &p.options
	return &members.Options{
		Mode: o.mode, Local: o.local, Multicluster: len(o.multicluster) > 0, ExportsMarked: o.exportsMarked, Cache: o.cache, NegativeTTL: o.negativeTTL, ServeStale: o.serveStale,
		Timeout: o.timeout, Hedging: o.hedging, MaxConcurrent: o.maxConcurrent, Probe: question.ProbeEDNS(),
		Metrics: acquireMetrics, DataMetrics: acquireDataMetrics,
		Publish: p.resolver.SetMembers, Log: log,
	}
}
