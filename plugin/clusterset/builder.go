package clusterset

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

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

	mu       sync.Mutex
	current  *snapshot
	set      *model.ClusterSet
	local    string
	material map[model.TLS]*material
	closed   bool
}

// drainTime is how long a client that left is kept for queries which still hold
// an older snapshot: their whole time, and CoreDNS's grace at a reload.
const drainTime = 5 * time.Second

// material is TLS material that is watched, and what it was last.
type material struct {
	cancel context.CancelFunc
	done   chan struct{}
	pem    exchange.TLSMaterial
	err    error
}

var errNotRead = errors.New("not read yet")

func newBuilder(o *options, api *discovery.API, publish func(*snapshot)) *builder {
	return &builder{options: o, api: api, publish: publish, local: o.local, material: make(map[model.TLS]*material)}
}

// setClusterSet takes up a new ClusterSet.
func (b *builder) setClusterSet(set *model.ClusterSet) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set = set
	b.watchMaterial()
	b.build()
}

// setLocal takes up the name that the About API gives this cluster.
func (b *builder) setLocal(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.local = name
	b.build()
}

func (b *builder) setMaterial(key model.TLS, m *material, pem exchange.TLSMaterial, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.material[key] != m: // no longer watched
		return
	case err == nil && m.err == nil && sameMaterial(pem, m.pem):
		return
	case err != nil && m.err == nil:
		log.Warningf("TLS %s: %v; what was read before stays in use", describe(key), err)
		return
	case err != nil && m.err.Error() == err.Error():
		return
	}
	m.pem, m.err = pem, err
	b.build()
}

// build makes and publishes the next snapshot; b.mu is held.
func (b *builder) build() {
	if b.closed || b.set == nil {
		return
	}
	old := b.current
	next := &snapshot{
		set: b.set, ranges: model.NewRanges(b.set.Clusters),
		members: make(map[string]*member, len(b.set.Clusters)), branches: make(map[string]bool),
	}
	for _, c := range b.set.Clusters {
		next.members[c.Name] = b.member(old, c)
		if _, branch, two := strings.Cut(c.Name, "."); two {
			next.branches[branch] = true
		}
	}
	next.local = next.members[b.local]
	if b.local != "" && next.local == nil && (old == nil || old.set != b.set) {
		log.Warningf("local cluster %q is not a member of the ClusterSet; its names are treated as unknown", b.local)
	}
	next.networks = networks(next)
	b.current = next
	b.publish(next)
	if old == nil {
		return
	}
	for name, m := range old.members {
		if next.members[name] != m {
			b.retire(m)
		}
	}
}

func networks(s *snapshot) []string {
	if s.local != nil {
		return []string{s.local.Network}
	}
	var all []string
	for _, c := range s.set.Clusters {
		if !slices.Contains(all, c.Network) {
			all = append(all, c.Network)
		}
	}
	return all
}

// member gives the old member where nothing about it changed, else a new one.
func (b *builder) member(old *snapshot, c *model.Cluster) *member {
	var pem exchange.TLSMaterial
	var err error
	if m := b.material[c.TLS]; m != nil {
		pem, err = m.pem, m.err
	}
	if old != nil {
		was := old.members[c.Name]
		if was != nil && was.Equal(c) && sameMaterial(was.material, pem) && (was.broken == nil) == (err == nil) {
			return was
		}
	}
	m := &member{Cluster: c, material: pem, broken: err, metrics: acquireMetrics(c.Name)}
	options := exchange.Options{MaxConcurrent: b.options.maxConcurrent, Metrics: m.metrics.exchange, Changed: upstreamChanged(c.Name)}
	if err == nil && slices.ContainsFunc(c.DNS, model.Upstream.Encrypted) {
		options.TLS, m.broken = exchange.NewTLSConfig(c.TLS.ServerName, pem)
	}
	if m.broken != nil && !errors.Is(m.broken, errNotRead) {
		log.Errorf("Member %s can't be asked: %v", c.Name, m.broken)
	}
	if m.broken != nil {
		return m
	}
	m.client = exchange.New(c, options)
	return m
}

func sameMaterial(a, b exchange.TLSMaterial) bool {
	return bytes.Equal(a.CA, b.CA) && bytes.Equal(a.Cert, b.Cert) && bytes.Equal(a.Key, b.Key)
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

// retire closes m when the queries that may hold it are over.
func (b *builder) retire(m *member) {
	if m.client == nil {
		m.metrics.release()
		return
	}
	time.AfterFunc(max(drainTime, b.options.timeout), func() {
		m.client.Close()
		m.metrics.release()
	})
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
	for _, m := range watched {
		m.cancel()
		<-m.done
	}
}
