package clusterset

import (
	"context"
	"errors"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/discovery"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// material is TLS material that members refer to: what its feed said last.
type material struct {
	discovery.Material
	feed *discovery.Feed[discovery.Material] // nil without an API for a Secret
	stop func()
}

var errNotRead = errors.New("TLS material: not read yet")

// watchMaterial begins watching the TLS material that members refer to and that
// isn't watched yet, and ends what nobody refers to any more; b.mu is held.
func (b *builder) watchMaterial() {
	wanted := make(map[model.TLS]bool)
	for _, c := range b.set.Clusters {
		if source := c.TLS.Source(); source != (model.TLS{}) {
			wanted[source] = true
		}
	}
	for source, m := range b.material {
		if !wanted[source] {
			delete(b.material, source)
			go m.stop() // which waits for a notification that waits for b.mu
		}
	}
	for source := range wanted {
		if b.material[source] == nil && !b.closed {
			b.material[source] = b.watch(source)
		}
	}
}

func (b *builder) watch(source model.TLS) *material {
	m := &material{Material: discovery.Material{Err: errNotRead}, stop: func() {}}
	switch {
	case len(source.Files()) > 0:
		m.feed = discovery.MaterialFromFiles(source)
		ctx, cancel := context.WithTimeout(context.Background(), fileTimeout)
		defer cancel()
		m.feed.Wait(ctx)
	case b.api != nil:
		m.feed = b.api.MaterialFromSecret(source.Secret)
	default:
		m.Err = discovery.ErrNoAPI
		return m
	}
	now, known, cancel := m.feed.Subscribe(func(next discovery.Material) { b.setMaterial(source, m, next) })
	if known {
		m.Material = now
	}
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
	m.Material = next
	b.build()
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
