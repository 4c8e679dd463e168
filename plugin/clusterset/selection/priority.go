package selection

import (
	"math/bits"
	"slices"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// rank is where a candidate stands. Those of one order are one priority, and the lowest
// order is the first.
type rank struct {
	order int
	why   Reason
}

// rank returns the rank of c: members with a weight are first, then those of the failover
// order, then the others by affinity.
func (r *Rules) rank(c *Candidate, here Place) rank {
	if r.Weights[c.Name] > 0 {
		return rank{0, Weighted}
	}
	if i := slices.Index(r.Failover, c.Name); i >= 0 {
		return rank{1 + i, Failover}
	}
	byAffinity := r.preference(c, here)
	byAffinity.order += 1 + len(r.Failover)
	return byAffinity
}

// preference returns the rank by affinity.
func (r *Rules) preference(c *Candidate, here Place) rank {
	switch {
	case r.Affinity == model.AffinityLocal && c.Local:
		return rank{0, Local}
	case r.Affinity == model.AffinityLocal:
		return rank{1, Remote}
	case r.Affinity == model.AffinityRemote && c.Local:
		return rank{1, Local}
	case r.Affinity == model.AffinityRemote:
		return rank{0, Remote}
	case r.Affinity == model.AffinityNearest:
		return nearness(c, here)
	}
	return rank{0, Alike}
}

// nearness returns the rank by distance: the local cluster, then the same zone, the same
// region, and the rest by round-trip time, the unknown ones last.
func nearness(c *Candidate, here Place) rank {
	switch {
	case c.Local:
		return rank{0, Local}
	case here.sameZone(c):
		return rank{1, SameZone}
	case c.Region != "" && c.Region == here.Region:
		return rank{2, SameRegion}
	}
	return rank{3 + roundTrip(c.RTT), Nearest}
}

// sameZone reports whether c is in the zone. Zones of two regions may have the same name.
func (p Place) sameZone(c *Candidate) bool {
	regions := c.Region == p.Region || c.Region == "" || p.Region == ""
	return c.Zone != "" && c.Zone == p.Zone && regions
}

// roundTrip returns the order of a round-trip time: one step for less than a millisecond,
// and one for each power of two, so that jitter seldom changes it.
func roundTrip(rtt time.Duration) int {
	const unknown = 64 // after all durations
	if rtt <= 0 {
		return unknown
	}
	return bits.Len64(uint64(rtt.Milliseconds()))
}
