package answercache

// Status is what a Cache, or a Member of one, holds.
type Status struct {
	Positive KindStatus `json:"positive"`
	Negative KindStatus `json:"negative"`
}

// KindStatus is of the answers of one kind. An answer weighs one for each started KiB.
type KindStatus struct {
	Entries int `json:"entries"`
	Weight  int `json:"weight"`
	// Capacity is the most that they may weigh: of a member, what no other one can take,
	// though it may have more while there is room.
	Capacity int `json:"capacity"`
}

// Status returns what the cache holds.
func (c *Cache) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	var of [Kinds]KindStatus
	for kind := range of {
		of[kind] = KindStatus{Weight: c.kinds[kind].used, Capacity: c.kinds[kind].capacity}
		for m := range c.members {
			of[kind].Entries += entries(m, Kind(kind))
		}
	}
	return Status{Positive: of[Positive], Negative: of[Negative]}
}

// Status returns what the member holds.
func (m *Member) Status() Status {
	c := m.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	var of [Kinds]KindStatus
	for kind := range of {
		weight := m.queues[kind].weight
		of[kind] = KindStatus{Entries: entries(m, Kind(kind)), Weight: weight, Capacity: c.kinds[kind].share(weight == 0)}
	}
	return Status{Positive: of[Positive], Negative: of[Negative]}
}

func entries(m *Member, kind Kind) int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.queues[kind].len()
}
