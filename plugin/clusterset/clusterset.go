// Package clusterset is a CoreDNS plugin that answers names of every cluster of
// a ClusterSet. It is the adapter between CoreDNS and the packages below it:
// query reads names, discovery finds the members, member watches their data,
// exchange asks their DNS, answercache keeps what it said, and model is what they
// talk in. README.md is its man
// page.
//
// A query's way is through handler.go (whose name is it?), resolve.go (answer it
// from data, or else) cached.go (what did the member say?), forward.go (ask it) and answer.go (make its reply an
// answer to the question).
package clusterset

import (
	"sync/atomic"
	"time"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/dnstap"
	"github.com/coredns/coredns/plugin/pkg/fall"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/discovery"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

const pluginName = "clusterset"

var log = clog.NewWithPlugin(pluginName)

// Clusterset is the plugin in one server block.
//
// A name is resolved in this order:
//
//  1. The longest configured zone that holds it; none: the next plugin.
//  2. The grammar (package query); no match: NXDOMAIN.
//  3. The member; not in the ClusterSet: NXDOMAIN.
//  4. The source: this server itself for the local cluster; else the member's data
//     while they are fresh, what its DNS said, while that is, its DNS, and stale data
//     and answers while serve_stale allows it.
//  5. The reply, renamed to the question, its addresses checked.
type Clusterset struct {
	Next plugin.Handler

	zones   []string // normalized; reverse zones among them
	options options

	// snapshot is nil until there is a ClusterSet. A query loads it once.
	snapshot  atomic.Pointer[snapshot]
	readiness readiness
	builder   *builder
	feed      *discovery.Feed[discovery.Update]
	names     *discovery.Feed[string] // of the local cluster's name; nil when it is given, or nobody knows
	stop      func()                  // ends what start began; once

	own own // addresses

	// here is whether this server serves the local cluster's domain.
	here verdicts

	taps []*dnstap.Dnstap
}

// options are the Corefile's.
type options struct {
	file       string
	configMap  model.ObjectName
	kubeconfig string
	context    string
	local      string
	mode       mode
	// exportsMarked hides services that are not exported.
	exportsMarked bool
	ttl           uint32
	negativeTTL   uint32
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
	fall          fall.F
}

// Defaults: DESIGN.md section 4.
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
		ttl:           defaultTTL,
		negativeTTL:   defaultNegativeTTL,
		cache:         defaultCache,
		serveStale:    defaultServeStale,
		timeout:       defaultTimeout,
		maxConcurrent: defaultMaxConcurrent,
		addressGuard:  true,
	}
}

// Name implements plugin.Handler.
func (p *Clusterset) Name() string { return pluginName }
