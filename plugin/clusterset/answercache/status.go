package answercache

import "github.com/coredns-clusterset/clusterset/plugin/clusterset/status"

// Status returns what the cache holds.
func (c *Cache) Status() status.Cache {
	c.mu.Lock()
	defer c.mu.Unlock()
	var of [Kinds]status.CacheKind
	for kind := range of {
		of[kind] = status.CacheKind{Weight: c.kinds[kind].used, Capacity: c.kinds[kind].capacity}
		for m := range c.members {
			of[kind].Entries += entries(m, Kind(kind))
		}
	}
	return status.Cache{Positive: of[Positive], Negative: of[Negative]}
}

// Status returns what the member holds.
func (m *Member) Status() status.Cache {
	c := m.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	var of [Kinds]status.CacheKind
	for kind := range of {
		weight := m.queues[kind].weight
		of[kind] = status.CacheKind{Entries: entries(m, Kind(kind)), Weight: weight, Capacity: c.kinds[kind].share(weight == 0)}
	}
	return status.Cache{Positive: of[Positive], Negative: of[Negative]}
}

func entries(m *Member, kind Kind) int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.queues[kind].len()
}
