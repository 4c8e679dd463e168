package model

import (
	"slices"
	"strings"
)

// Affinity is which members of a clusterset-wide name are preferred.
type Affinity uint8

const (
	// NoAffinity is where nobody says.
	NoAffinity Affinity = iota
	// AffinityNone is all members alike.
	AffinityNone
	// AffinityLocal is the local cluster, then the others.
	AffinityLocal
	// AffinityNearest is the same zone, then the same region, then by round-trip time.
	AffinityNearest
	// AffinityRemote is all but the local cluster, then that.
	AffinityRemote
)

// Affinities are the words of the document, of the Corefile and of Cilium's annotation.
var Affinities = map[string]Affinity{
	"none": AffinityNone, "local": AffinityLocal, "nearest": AffinityNearest, "remote": AffinityRemote,
}

// String returns the word, "" for NoAffinity.
func (a Affinity) String() string {
	return [...]string{"", "none", "local", "nearest", "remote"}[a]
}

// Policy says which members answer a clusterset-wide name.
type Policy struct {
	// Services are "namespace/name"; either of them may be "*", or end in it.
	Services []string
	// Allow are the members whose clients may look the name up, nil for all.
	Allow    []string
	Affinity Affinity
	// Weights are of members, one of which answers, in proportion; nil without.
	Weights map[string]int
	// Failover are members in the order to prefer.
	Failover []string
}

// Policy returns the first that is for a service, nil where none is. Names are lower case. It
// allocates nothing.
func (s *ClusterSet) Policy(namespace, name string) *Policy {
	for i := range s.Policies {
		for _, pattern := range s.Policies[i].Services {
			ofNamespace, ofName, _ := strings.Cut(pattern, "/")
			if matches(ofNamespace, namespace) && matches(ofName, name) {
				return &s.Policies[i]
			}
		}
	}
	return nil
}

// matches reports whether a name is the pattern, or begins with what stands before the "*" that
// the pattern ends in. Nothing else in a pattern is special.
func matches(pattern, name string) bool {
	if prefix, wild := strings.CutSuffix(pattern, "*"); wild {
		return strings.HasPrefix(name, prefix)
	}
	return name == pattern
}

// Reach is a kind of addresses that a service has.
type Reach uint8

const (
	// ReachServices is what its name stands for in its own cluster: cluster IPs, or the
	// endpoints of a headless one.
	ReachServices Reach = iota
	// ReachPods is its endpoints.
	ReachPods
	// ReachLoadBalancers is status.loadBalancer and externalIPs.
	ReachLoadBalancers
	// ReachGateways is the member's gateways.
	ReachGateways
)

// Reaches are the words of the document.
var Reaches = map[string]Reach{
	"services": ReachServices, "pods": ReachPods, "loadBalancers": ReachLoadBalancers, "gateways": ReachGateways,
}

// String returns the document's word.
func (r Reach) String() string {
	return [...]string{"services", "pods", "loadBalancers", "gateways"}[r]
}

var (
	reachWithin  = []Reach{ReachServices}
	reachOutside = []Reach{ReachLoadBalancers, ReachGateways}
)

// ReachFrom returns which of the member's addresses clients in a network can connect to, in
// the order to prefer.
func (c *Cluster) ReachFrom(network string) []Reach {
	switch {
	case c.Reach != nil:
		return c.Reach
	case c.Network == network:
		return reachWithin
	}
	return reachOutside
}

// Offers reports whether services of a namespace, in lower case, may be reached from other
// clusters. It allocates nothing.
func (c *Cluster) Offers(namespace string) bool {
	if c.Namespaces == nil {
		return true
	}
	return slices.ContainsFunc(c.Namespaces, func(pattern string) bool { return matches(pattern, namespace) })
}
