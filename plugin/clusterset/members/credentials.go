package members

import (
	"context"
	"errors"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/discovery"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// credentials are TLS credentials that members refer to.
type credentials struct {
	feed *discovery.Feed[discovery.TLSUpdate] // nil without an API for a Secret
	stop func()
	// inForce is whether a member of the set in force refers to them.
	inForce bool
}

var errNotRead = errors.New("TLS credentials: not read yet")

// last returns what is known of them now. It is read where it is used: to wait for a feed is
// not to wait for its notification.
func (c *credentials) last() discovery.TLSUpdate {
	if c.feed == nil {
		return discovery.TLSUpdate{Err: discovery.ErrNoAPI}
	}
	last, known := c.feed.Last()
	if !known {
		last.Err = errNotRead
	}
	return last
}

// credentialsWait is how long a ClusterSet that is new waits for TLS credentials that are: a
// file or a Secret is there by then, and its members can be asked from the first query on.
// Where it isn't, the members are in the set without credentials.
const credentialsWait = 250 * time.Millisecond

// watchCredentials begins to watch the TLS credentials that the set's members refer to and
// that aren't watched yet, and waits for them, for all of them together. No lock is held
// over that: a disk that hangs is one member's trouble.
func (m *Manager) watchCredentials(set *model.ClusterSet) {
	var begun []*discovery.Feed[discovery.TLSUpdate]
	m.mu.Lock()
	for source := range sourcesOf(set) {
		if m.credentials[source] == nil && !m.closed {
			m.credentials[source] = m.watch(source)
			begun = append(begun, m.credentials[source].feed)
		}
	}
	m.mu.Unlock()
	for _, feed := range begun {
		if feed != nil {
			feed.WaitUntil(feed.Began().Add(credentialsWait)) // several server blocks wait once
		}
	}
}

// forgetCredentials ends the watching of what no member of the set in force refers to;
// m.mu is held.
func (m *Manager) forgetCredentials() {
	wanted := sourcesOf(m.set)
	for source, c := range m.credentials {
		c.inForce = wanted[source]
		if !c.inForce {
			delete(m.credentials, source)
			m.ending.Go(c.stop) // which waits for a notification that waits for m.mu
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

// watch doesn't wait: m.mu is held.
func (m *Manager) watch(source model.TLS) *credentials {
	c := &credentials{stop: func() {}}
	switch {
	case len(source.Files()) > 0:
		c.feed = discovery.TLSFromFiles(source)
	case m.options.API != nil:
		c.feed = m.options.API.TLSFromSecret(source.Secret)
	default:
		return c
	}
	_, _, cancel := c.feed.Subscribe(func(next discovery.TLSUpdate) { m.setCredentials(source, c, next) })
	c.stop = func() {
		cancel()
		c.feed.Release()
	}
	return c
}

func (m *Manager) setCredentials(source model.TLS, c *credentials, next discovery.TLSUpdate) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.credentials[source] != c {
		return // no longer watched
	}
	if next.Err != nil && next.Good {
		m.options.Log.Warningf("TLS credentials: %v; what was read before stays in use", next.Err)
	}
	if c.inForce {
		m.build()
	}
}

// WaitCredentials returns when all TLS credentials were read once, or ctx ends.
func (m *Manager) WaitCredentials(ctx context.Context) {
	m.mu.Lock()
	var feeds []*discovery.Feed[discovery.TLSUpdate]
	for _, c := range m.credentials {
		if c.feed != nil {
			feeds = append(feeds, c.feed)
		}
	}
	m.mu.Unlock()
	for _, feed := range feeds {
		feed.Wait(ctx)
	}
}
