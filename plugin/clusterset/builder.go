package clusterset

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/answercache"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/discovery"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// builder makes snapshots out of what discovery finds: the ClusterSet, the
// local cluster's name, and TLS material. What didn't change is taken over from
// the snapshot before; what left is closed once no query can use it any more.
type builder struct {
	options *options
	api     *discovery.API // nil without one
	publish func(*snapshot)
	cache   *answercache.Cache // nil without one

	mu       sync.Mutex
	current  *snapshot
	set      *model.ClusterSet
	local    string
	material map[model.TLS]*material // by where it comes from
	// draining is how many members are, and waits whether a change waits for their end.
	draining int
	waits    bool
	closed   bool
}

// drainTime is how long a client that left is kept for queries which still
// hold an older snapshot: their whole time, and CoreDNS's grace at a reload.
const drainTime = 5 * time.Second

// Members that were replaced have sockets and memory until they are drained: with more of
// them than maxDraining, and than drainingTimes those of the ClusterSet, a change waits. A
// document, or a Secret, may change many times a second for as long as its writer likes.
const (
	maxDraining   = 100
	drainingTimes = 4
)

func newBuilder(o *options, api *discovery.API, publish func(*snapshot)) *builder {
	b := &builder{options: o, api: api, publish: publish, local: o.local, material: make(map[model.TLS]*material)}
	if o.cache > 0 && o.mode != modeResolve {
		b.cache = answercache.New(answercache.Options{Capacity: o.cache, NegativeTTL: o.negativeTTL, ServeStale: o.serveStale})
	}
	return b
}

// setClusterSet takes up a new ClusterSet.
func (b *builder) setClusterSet(set *model.ClusterSet) {
	b.watchMaterial(set)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set = set
	b.forgetMaterial()
	b.build()
}

// setLocal takes up the name that the About API gives this cluster.
func (b *builder) setLocal(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.local = name
	b.build()
}

// build makes and publishes the next snapshot; b.mu is held.
func (b *builder) build() {
	if b.closed || b.set == nil {
		return
	}
	if b.waits = b.full(); b.waits {
		return
	}
	old := b.current
	next := newSnapshot(b.set, b.local)
	for _, c := range b.set.Clusters {
		next.members[c.Name] = b.member(old, c)
	}
	next.settle()
	if next.local == nil && b.local != "" && (old == nil || old.set != b.set || old.localName != b.local) {
		log.Warningf("Local cluster %q is not a member of the ClusterSet; which member is local isn't known", b.local)
	}
	b.current = next
	b.publish(next)
	b.retireAllBut(old, next)
}

// retireAllBut retires the members of old, if there was one, that aren't in next.
func (b *builder) retireAllBut(old, next *snapshot) {
	if old == nil {
		return
	}
	for name, m := range old.members {
		if next.members[name] != m {
			b.retire(m)
		}
	}
}

// full reports whether too many members are drained for a change to be built.
func (b *builder) full() bool {
	return b.draining >= max(maxDraining, drainingTimes*len(b.set.Clusters))
}

// member gives the old member where nothing about it changed, else a new one.
func (b *builder) member(old *snapshot, c *model.Cluster) *clusterMember {
	m := &clusterMember{Cluster: c, watch: b.watches(c)}
	encrypted := slices.ContainsFunc(c.DNS, model.Upstream.Encrypted)
	if source := b.material[c.TLS.Source()]; source != nil && encrypted {
		last := source.last()
		m.pem = last.PEM
		if !last.Good {
			m.broken = last.Err
		}
	}
	if old != nil {
		if was := old.members[c.Name]; was != nil && was.sameAs(m) {
			return was
		}
	}
	m.inflight = exchange.NewInflight(b.options.maxConcurrent)
	m.metrics = acquireMetrics(c.Name)
	m.answers = b.answers(m)
	switch {
	case m.watch:
		m.api = acquireAPI(c, b.api)
	case b.options.mode == modeResolve:
		log.Warningf("Member %s can't be resolved: %v", c.Name, errNoKubeconfig)
	}
	options := exchange.Options{
		Inflight: m.inflight, Probe: probeEDNS(), Timeout: b.options.timeout, Hedging: b.options.hedging, Metrics: m.metrics.exchange,
		Changed: upstreamChanged(c.Name), Ejected: upstreamEjected(c.Name),
	}
	if encrypted {
		options.TLS = exchange.NewTLSConfig(c.TLS.ServerName, m.pem.Authorities, m.pem.Certificates)
	}
	switch {
	case m.broken == nil:
		m.client = exchange.New(c, options)
	case !errors.Is(m.broken, errNotRead):
		log.Errorf("Member %s can't be asked: %v", c.Name, m.broken)
	}
	return m
}

// answers is the new member's cache, nil without one.
func (b *builder) answers(m *clusterMember) *answercache.Member {
	if b.cache == nil {
		return nil
	}
	return b.cache.Member(m.metrics.cache.ofCache)
}

// watches tells whether the member's data are watched. Those of the local cluster
// can come from the API that this CoreDNS has.
func (b *builder) watches(c *model.Cluster) bool {
	switch {
	case b.options.mode == modeForward:
		return false
	case c.Kubeconfig != (model.Kubeconfig{}):
		return true
	}
	return b.options.mode == modeResolve && c.Name == b.local && b.api != nil
}

func upstreamChanged(name string) func(model.Upstream, error) {
	return func(u model.Upstream, err error) {
		if err != nil {
			log.Warningf("Member %s: upstream %s is down: %v", name, u, err)
			return
		}
		log.Infof("Member %s: upstream %s is back", name, u)
	}
}

func upstreamEjected(name string) func(model.Upstream, time.Duration, error) {
	return func(u model.Upstream, d time.Duration, why error) {
		log.Infof("Member %s: upstream %s sits out for %s: %v", name, u, d.Round(time.Millisecond), why)
	}
}

// retire closes m when the queries that may hold it are over. Its cached answers go
// now: no new query finds them. b.mu is held.
func (b *builder) retire(m *clusterMember) {
	b.draining++
	if m.answers != nil {
		m.answers.Drop()
	}
	time.AfterFunc(max(drainTime, b.options.timeout), func() {
		if m.answers != nil {
			m.answers.Close()
		}
		if m.client != nil {
			m.client.Close()
			m.metrics.releaseUpstreams(m.DNS)
		}
		if m.api != nil {
			m.api.release()
		}
		m.metrics.release()
		b.drained()
	})
}

// drained makes room for a change that waits.
func (b *builder) drained() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.draining--
	if b.waits {
		b.build()
	}
}

// close ends all watching at once, and the members once their queries are over:
// a Corefile reload shuts the old instance down while it still answers.
func (b *builder) close() {
	b.mu.Lock()
	b.closed = true
	watched := b.material
	b.material = nil
	if b.current != nil {
		for _, m := range b.current.members {
			b.retire(m)
		}
	}
	b.mu.Unlock()
	var stopping sync.WaitGroup
	for _, m := range watched {
		stopping.Go(m.stop)
	}
	stopping.Wait()
}
