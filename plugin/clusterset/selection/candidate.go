package selection

import (
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Candidate is a member that has the service, alive and reachable.
type Candidate struct {
	// Name is the member's, which no other candidate has.
	Name string
	// Local is set for the cluster that this server runs in.
	Local bool
	// Region and Zone are where the member is, "" where that isn't known.
	Region, Zone string
	// RTT is the measured round-trip time to it, 0 where it isn't known.
	RTT time.Duration
	// Ready are the endpoints that may be used, of Total; both are 0 where only the member's
	// DNS says that it has the service.
	Ready, Total int
	// Stale is set where this is known from stale data or from a stale answer. Such
	// candidates are used only where no other can answer.
	Stale bool
}

// ready reports whether c can answer.
func (c *Candidate) ready() bool { return c.Total == 0 || c.Ready > 0 }

// Rules are what decides for one service.
type Rules struct {
	// Affinity is never model.NoAffinity.
	Affinity model.Affinity
	// Weights are by member. Those above 0 are the first priority, of which one member
	// answers per reply, in proportion; 0 never answers.
	Weights map[string]int
	// Failover are members in the order to prefer, after those with a weight and before all
	// that aren't listed.
	Failover []string
	// Strict has a priority answer alone while an endpoint of it is ready, as Cilium's affinity
	// does: without Envoy's spill-over.
	Strict bool
	// LocalOnly is internalTrafficPolicy: Local, the own cluster alone.
	LocalOnly bool
}

// excluded returns why c never answers, whatever the other candidates are; 0 if it may.
func (r *Rules) excluded(c *Candidate) Reason {
	weight, weighted := r.Weights[c.Name]
	switch {
	case r.LocalOnly && !c.Local:
		return NotLocal
	case weighted && weight <= 0:
		return ZeroWeight
	case !c.ready():
		return NotReady
	}
	return 0
}

// Place is where the client is: the local cluster's region and zone, "" where that isn't
// known.
type Place struct{ Region, Zone string }
