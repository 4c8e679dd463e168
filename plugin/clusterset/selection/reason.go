package selection

// Reason is why a candidate is among the members that answer, or isn't.
type Reason uint8

// Members that answer have one of the reasons up to SpillOver: those of the first priority
// what put them there, those of a later one SpillOver. The others have one that follows.
const (
	// Alike is affinity none.
	Alike Reason = iota + 1
	// Local is the local cluster.
	Local
	// Remote is another one, where affinity tells just these two apart.
	Remote
	// SameZone, SameRegion and Nearest, by round-trip time, are affinity nearest.
	SameZone
	SameRegion
	Nearest
	// Weighted has a weight, and was drawn.
	Weighted
	// Failover is the first of that order.
	Failover
	// SpillOver is a priority that gets what those before it can't take.
	SpillOver
	// NotPreferred is another priority than the one chosen.
	NotPreferred
	// NotDrawn is of the priority chosen, and others were drawn: by weights, or as not all fit
	// into the reply.
	NotDrawn
	// ZeroWeight has weight 0.
	ZeroWeight
	// NotReady has endpoints, and none of them is ready.
	NotReady
	// Stale is known from stale data, and others aren't.
	Stale
	// NotLocal is another cluster, and the service is for its own alone.
	NotLocal
	// Reasons is one more than the last.
	Reasons
)

// String returns the reason in words, "" for 0.
func (r Reason) String() string {
	return [...]string{
		"", "all alike", "local", "remote", "same zone", "same region", "nearest", "weight", "failover", "spill-over",
		"not preferred", "not drawn", "weight 0", "no ready endpoint", "stale", "not local",
	}[r]
}
