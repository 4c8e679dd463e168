package members

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/answercache"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/discovery"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// Options are a server block's.
type Options struct {
	Mode model.Mode
	// Local is the local cluster's name, "" where the About API says it, or nobody.
	Local string
	// Multicluster is whether names over the whole ClusterSet are answered: ServiceImports are
	// watched through the API, and so are, where exports count, the local member's data.
	Multicluster bool
	// ExportsMarked is whether only services that are exported may be reached.
	ExportsMarked bool
	// Cache is how many positive answers are kept, 0 for no cache; they are served for
	// ServeStale after they expired.
	Cache       int
	NegativeTTL uint32 // seconds
	ServeStale  time.Duration
	// Timeout is the longest that a query may take.
	Timeout time.Duration
	Hedging exchange.Hedging
	// MaxConcurrent bounds a member's queries in flight; 0 is no bound.
	MaxConcurrent int64
	// Probe is the EDNS of health probes.
	Probe exchange.EDNS
	// API is the one that this CoreDNS has, nil without one.
	API *discovery.API
	// Metrics returns a member's series, and DataMetrics those of its data, each until Release.
	Metrics     func(cluster string) Metrics
	DataMetrics func(cluster string) (metrics member.Metrics, release func())
	// Publish is called with each new set, in order.
	Publish func(*Set)
	Log     Log
}

// Log is where a Manager writes; *P of CoreDNS's pkg/log is one.
type Log interface {
	Infof(format string, v ...any)
	Warningf(format string, v ...any)
	Errorf(format string, v ...any)
}

// Manager makes the members in force out of what discovery finds: the ClusterSet, the local
// cluster's name, and TLS credentials. What didn't change is kept; what left is closed once
// no query can use it any more.
type Manager struct {
	options Options
	cache   *answercache.Cache // nil without one

	mu          sync.Mutex
	current     *Set
	imports     *sharedData // from the first set on, nil where they aren't watched
	set         *model.ClusterSet
	local       string
	credentials map[model.TLS]*credentials // by where they come from
	// draining is how many members are, and waits whether a change waits for their end.
	draining int
	waits    bool
	closed   bool
	// unsubscribe ends the subscriptions of Follow.
	unsubscribe []func()
	// ending are the drains and closings under way.
	ending sync.WaitGroup
}

// NewManager returns one without members.
func NewManager(o *Options) *Manager {
	m := &Manager{options: *o, local: o.Local, credentials: make(map[model.TLS]*credentials)}
	if o.Cache > 0 && o.Mode != model.ModeResolve {
		m.cache = answercache.New(answercache.Options{Capacity: o.Cache, NegativeTTL: o.NegativeTTL, ServeStale: o.ServeStale})
	}
	return m
}

// CacheStatus returns what the cache of all members' answers holds, nothing without one.
func (m *Manager) CacheStatus() status.Cache {
	if m.cache == nil {
		return status.Cache{}
	}
	return m.cache.Status()
}

// Follow subscribes the manager to ClusterSets, and to the local cluster's name, where names
// isn't nil; Close releases both.
func (m *Manager) Follow(sets *discovery.Feed[discovery.Update], names *discovery.Feed[string]) {
	if names != nil {
		m.unsubscribe = append(m.unsubscribe, subscribe(names, m.SetLocal, run))
	}
	m.unsubscribe = append(m.unsubscribe, subscribe(sets, func(u discovery.Update) {
		if u.Set != nil {
			m.SetClusterSet(u.Set)
		}
	}, run))
}

// SetClusterSet puts the ClusterSet in force.
func (m *Manager) SetClusterSet(set *model.ClusterSet) {
	m.watchCredentials(set)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.set = set
	m.forgetCredentials()
	m.build()
}

// SetLocal sets the local cluster's name.
func (m *Manager) SetLocal(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.local = name
	m.build()
}

// build makes and publishes the next set; m.mu is held.
func (m *Manager) build() {
	if m.closed || m.set == nil {
		return
	}
	if m.waits = isFull(m.draining, len(m.set.Clusters)); m.waits {
		return
	}
	old := m.current
	if old == nil {
		m.imports = m.options.acquireImports()
	}
	byName := make(map[string]*Member, len(m.set.Clusters))
	for _, c := range m.set.Clusters {
		byName[c.Name] = m.member(old, c)
	}
	next := NewSet(m.set, byName, m.local)
	if m.imports != nil {
		next.Imports = m.imports
	}
	if next.Local == nil && m.local != "" && (old == nil || old.set != m.set || old.localName != m.local) {
		m.options.Log.Warningf("Local cluster %q is not a member of the ClusterSet: which member is local isn't known", m.local)
	}
	m.current = next
	m.options.Publish(next)
	m.drainAllBut(old, next)
}

// member returns the old member where nothing about it changed, else a new one.
func (m *Manager) member(old *Set, c *model.Cluster) *Member {
	next := &Member{Cluster: c, watch: m.options.watches(c, m.local, m.set)}
	encrypted := slices.ContainsFunc(c.DNS, model.Upstream.Encrypted)
	if source := m.credentials[c.TLS.Source()]; source != nil && encrypted {
		last := source.last()
		next.tls = last.Credentials
		if !last.Good {
			next.Broken = last.Err
		}
	}
	if old != nil {
		if was := old.byName[c.Name]; was != nil && was.sameAs(next) {
			return was
		}
	}
	next.Inflight = exchange.NewInflight(m.options.MaxConcurrent)
	next.Metrics = m.options.Metrics(c.Name)
	if m.cache != nil {
		next.Answers = m.cache.Member(next.Metrics.Cache())
	}
	next.Gateway = m.options.acquireGateway(c)
	switch {
	case next.watch:
		next.Data = m.options.acquireData(c)
	case m.options.Mode == model.ModeResolve:
		m.options.Log.Warningf("Member %s can't be resolved: %v", c.Name, ErrNoKubeconfig)
	}
	m.options.connect(next, encrypted)
	return next
}

// connect makes the client of the member's DNS.
func (o *Options) connect(next *Member, encrypted bool) {
	options := exchange.Options{
		Inflight: next.Inflight, Probe: o.Probe, Timeout: o.Timeout, Hedging: o.Hedging,
		Metrics: next.Metrics.Exchange(), Changed: o.logChange(next.Name), Ejected: o.logEjection(next.Name),
	}
	if encrypted {
		options.TLS = transport.NewTLSConfig(next.TLS.ServerName, next.tls.Authorities, next.tls.Certificates)
	}
	switch {
	case next.Broken == nil:
		next.Client = exchange.New(next.Cluster, options)
	case !errors.Is(next.Broken, errNotRead):
		o.Log.Errorf("Member %s can't be asked: %v", next.Name, next.Broken)
	}
}

// ErrNoKubeconfig is why nothing is known of a member in mode resolve.
var ErrNoKubeconfig = errors.New("no kubeconfig to get its data with, and its DNS isn't asked in this mode")

// watches reports whether the data of a member of the set are watched. Those of the local
// cluster can come from the API that this CoreDNS has, where they are needed: to ask nobody, or
// to know what it exports. That counts where others' exports do; where all members are known by
// their DNS alone, so is the local one, and all have what they have.
func (o *Options) watches(c *model.Cluster, local string, set *model.ClusterSet) bool {
	switch {
	case o.Mode == model.ModeForward:
		return false
	case hasKubeconfig(c):
		return true
	case c.Name != local || o.API == nil:
		return false
	}
	return o.Mode == model.ModeResolve || o.Multicluster && (o.ExportsMarked || slices.ContainsFunc(set.Clusters, hasKubeconfig))
}

func hasKubeconfig(c *model.Cluster) bool { return c.Kubeconfig != (model.Kubeconfig{}) }

func (o *Options) logChange(name string) func(model.Upstream, error) {
	return func(u model.Upstream, err error) {
		if err != nil {
			o.Log.Warningf("Member %s: upstream %s is down: %v", name, u, err)
			return
		}
		o.Log.Infof("Member %s: upstream %s is back", name, u)
	}
}

func (o *Options) logEjection(name string) func(model.Upstream, time.Duration, error) {
	return func(u model.Upstream, d time.Duration, why error) {
		o.Log.Infof("Member %s: upstream %s is ejected for %s: %v", name, u, d.Round(time.Millisecond), why)
	}
}
