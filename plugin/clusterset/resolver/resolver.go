package resolver

import (
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/services"
)

// Options are a server block's.
type Options struct {
	Zones question.Zones
	Mode  model.Mode
	// ExportsMarked hides services that aren't exported.
	ExportsMarked bool
	// Affinity is which members names over the whole ClusterSet prefer, where neither a policy
	// nor the service says.
	Affinity model.Affinity
	// TTL and NegativeTTL are of answers from data, and of negative ones, in seconds.
	TTL, NegativeTTL uint32
	// ServeStale is how old data may be that nothing proves true; 0 is not at all.
	ServeStale time.Duration
	// Timeout is a question's whole time.
	Timeout      time.Duration
	AddressGuard bool
	// HasNext is whether there is a plugin behind this one.
	HasNext bool
	// Addresses returns this server's, which its zones' name servers have.
	Addresses func() []netip.Addr
	// Refreshing returns what observes the attempts of a refresh that no client waits for;
	// nil where nobody does.
	Refreshing func() func(exchange.Attempt)
}

// Resolver answers the questions of one server block. Its Options are set before the first
// one.
type Resolver struct {
	Options

	// members is nil until there is a ClusterSet. A question loads it once.
	members  atomic.Pointer[members.Set]
	services services.Kept
	// asking is how many members are being asked for parts of answers: see maxAsking.
	asking atomic.Int32
}

// SetMembers puts members in force.
func (r *Resolver) SetMembers(set *members.Set) {
	r.members.Store(set)
	r.services.Clear()
}

// Members returns those in force, nil until there is a ClusterSet.
func (r *Resolver) Members() *members.Set { return r.members.Load() }
