package selection

import "slices"

// overprovisioning is Envoy's default factor of 1.4, in percent: a priority is healthy until
// less than 72% of its endpoints are ready.
const overprovisioning = 140

// endpoints counts those of some candidates. They are 64 bits wide for the products.
type endpoints struct {
	ready, total   int64
	known, unknown int64 // candidates, by whether their endpoints are known
}

func (e *endpoints) add(c *Candidate) {
	if c.Total == 0 {
		e.unknown++
		return
	}
	e.known++
	e.ready += int64(c.Ready)
	e.total += int64(c.Total)
}

// health returns Envoy's health score of a priority, or of one candidate, in percent. It is
// above 0 where any endpoint is ready. A candidate whose endpoints aren't known counts as
// having as many as the others have on average, all ready.
func (e *endpoints) health() int {
	if e.total == 0 {
		return 100
	}
	ready := e.ready*e.known + e.unknown*e.total
	if ready <= 0 {
		return 0
	}
	total := e.total * (e.known + e.unknown)
	return int(max(1, min(100, overprovisioning*ready/total)))
}

// loads returns how many percent of the replies each priority gets. They add up to 100,
// unless no priority is healthy. This is the algorithm of Envoy's "Priority levels":
//
//	normalized_total_health = min(100, Σ(health(P_0)...health(P_X)))
//	priority_load(P_0) = min(100, health(P_0) * 100 / normalized_total_health)
//	priority_load(P_X) = min(100 - Σ(priority_load(P_0)..priority_load(P_X-1)),
//	                         health(P_X) * 100 / normalized_total_health)
//
// Quotients are rounded, as in its tables, and what that leaves is the first healthy
// priority's.
func loads(health []int) []int {
	total := 0
	for _, percent := range health {
		total += percent
	}
	total = min(100, total)
	loads := make([]int, len(health))
	if total == 0 {
		return loads
	}
	left := 100
	for i, percent := range health {
		loads[i] = min(left, (percent*100+total/2)/total)
		left -= loads[i]
	}
	first := slices.IndexFunc(health, func(percent int) bool { return percent > 0 })
	loads[first] += left
	return loads
}
