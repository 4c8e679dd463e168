package clusterset

import (
	"context"
	"errors"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/discovery"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// material is TLS material that members refer to.
type material struct {
	feed *discovery.Feed[discovery.Material] // nil without an API for a Secret
	stop func()
	// inForce is whether a member of the set in force refers to it.
	inForce bool
}

var errNotRead = errors.New("TLS material: not read yet")

// last is what is known of it now. It is read where it is used: to wait for a feed is
// not to wait for its notification.
func (m *material) last() discovery.Material {
	if m.feed == nil {
		return discovery.Material{Err: discovery.ErrNoAPI}
	}
	last, known := m.feed.Last()
	if !known {
		last.Err = errNotRead
	}
	return last
}

// materialTime is how long a ClusterSet that is new waits for TLS material that is: a
// file or a Secret is there by then, and its members can be asked from the first query
// on. Where it isn't, they are in the snapshot without.
const materialTime = 250 * time.Millisecond

// watchMaterial begins watching the TLS material that the set's members refer to and
// that isn't watched yet, and waits for it, for all of it together. No lock is held
// over that: a disk that hangs is one member's trouble.
func (b *builder) watchMaterial(set *model.ClusterSet) {
	var begun []*discovery.Feed[discovery.Material]
	b.mu.Lock()
	for source := range sourcesOf(set) {
		if b.material[source] == nil && !b.closed {
			b.material[source] = b.watch(source)
			begun = append(begun, b.material[source].feed)
		}
	}
	b.mu.Unlock()
	for _, feed := range begun {
		if feed != nil {
			feed.WaitUntil(feed.Began().Add(materialTime)) // several server blocks wait once
		}
	}
}

// forgetMaterial ends the watching of what no member of the set in force refers to;
// b.mu is held.
func (b *builder) forgetMaterial() {
	wanted := sourcesOf(b.set)
	for source, m := range b.material {
		m.inForce = wanted[source]
		if !m.inForce {
			delete(b.material, source)
			go m.stop() // which waits for a notification that waits for b.mu
		}
	}
}

func sourcesOf(set *model.ClusterSet) map[model.TLS]bool {
	sources := make(map[model.TLS]bool)
	for _, c := range set.Clusters {
		if source := c.TLS.Source(); source != (model.TLS{}) {
			sources[source] = true
		}
	}
	return sources
}

// watch doesn't wait: b.mu is held.
func (b *builder) watch(source model.TLS) *material {
	m := &material{stop: func() {}}
	switch {
	case len(source.Files()) > 0:
		m.feed = discovery.MaterialFromFiles(source)
	case b.api != nil:
		m.feed = b.api.MaterialFromSecret(source.Secret)
	default:
		return m
	}
	_, _, cancel := m.feed.Subscribe(func(next discovery.Material) { b.setMaterial(source, m, next) })
	m.stop = func() {
		cancel()
		m.feed.Release()
	}
	return m
}

func (b *builder) setMaterial(source model.TLS, m *material, next discovery.Material) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.material[source] != m {
		return // no longer watched
	}
	if next.Err != nil && next.Good {
		log.Warningf("TLS material: %v; what was read before stays in use", next.Err)
	}
	if m.inForce {
		b.build()
	}
}

// waitMaterial returns when all material was looked at once, or ctx ends.
func (b *builder) waitMaterial(ctx context.Context) {
	b.mu.Lock()
	var feeds []*discovery.Feed[discovery.Material]
	for _, m := range b.material {
		if m.feed != nil {
			feeds = append(feeds, m.feed)
		}
	}
	b.mu.Unlock()
	for _, feed := range feeds {
		feed.Wait(ctx)
	}
}
