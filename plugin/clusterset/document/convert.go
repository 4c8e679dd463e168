package document

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Bounds of a ClusterSet, all documents together.
const (
	maxMembers = 5000
	// maxUpstreams is for all members together: each takes 13 KB, most of it metrics.
	maxUpstreams = 2 * maxMembers
)

// parser turns documents into one ClusterSet, and collects what is wrong with them. What
// is wrong has the zero value in the set.
type parser struct {
	*collector
	checks checker
	set    *model.ClusterSet
	// members maps each name to where it was first given.
	members map[string]position
	// unread is whether a member may be missing from members.
	unread bool
	// upstreams is how many all members have so far.
	upstreams int
	// referred are the members that policies name and that no document before them has:
	// each of them maxErrors times, as refers counts.
	referred []reference
	refers   map[string]int
}

// position is where something is in a document.
type position struct{ key, path string }

type reference struct {
	position
	member string
}

func newParser() *parser {
	c := &collector{}
	return &parser{
		collector: c, checks: checker{c}, set: &model.ClusterSet{},
		members: make(map[string]position), refers: make(map[string]int),
	}
}

// convert adds a document's members and policies to the set.
func (p *parser) convert(doc *Document) {
	if doc.APIVersion != APIVersion {
		p.wrong("apiVersion", doc.APIVersion, "not "+APIVersion)
	}
	if doc.Kind != Kind {
		p.wrong("kind", doc.Kind, "not "+Kind)
	}
	for i, c := range doc.Clusters {
		if len(p.set.Clusters) == maxMembers {
			p.end("clusters", fmt.Sprintf("a ClusterSet has %d members at most, in all documents together", maxMembers))
			return
		}
		path := fmt.Sprintf("clusters[%d]", i)
		if c != nil {
			p.set.Clusters = append(p.set.Clusters, p.cluster(path, c))
		}
		if p.upstreams > maxUpstreams {
			p.end(path+".dns", fmt.Sprintf("the members of a ClusterSet have %d upstreams at most, in all documents together", maxUpstreams))
			return
		}
	}
	for i, policy := range doc.Policies {
		if policy != nil {
			p.set.Policies = append(p.set.Policies, p.policy(fmt.Sprintf("policies[%d]", i), policy))
		}
	}
}

func (p *parser) cluster(path string, c *Cluster) *model.Cluster {
	m := &model.Cluster{
		Name:              p.name(path+".name", c.Name),
		ServiceCIDRs:      p.checks.prefixes(path+".serviceCIDRs", c.ServiceCIDRs),
		PodCIDRs:          p.checks.prefixes(path+".podCIDRs", c.PodCIDRs),
		ClusterDomain:     p.checks.domain(path+".clusterDomain", c.ClusterDomain),
		EndpointPodNames:  c.EndpointPodNames,
		TLS:               p.checks.tls(path+".tls", c.TLS),
		Kubeconfig:        p.checks.kubeconfig(path+".kubeconfig", c.Kubeconfig),
		Network:           p.checks.place(path+".network", c.Network),
		Reach:             p.checks.reach(path+".reach", c.Reach),
		Gateways:          p.checks.gateways(path+".gateways", c.Gateways),
		LoadBalancerCIDRs: p.checks.prefixes(path+".loadBalancerCIDRs", c.LoadBalancerCIDRs),
		Probe:             p.checks.probe(path+".probe", c.Probe),
		Namespaces:        p.checks.namespaces(path+".namespaces", c.Namespaces),
		Region:            p.checks.place(path+".region", c.Region),
		Zone:              p.checks.place(path+".zone", c.Zone),
	}
	if c.Network == "" {
		m.Network = "default"
	}
	if len(c.ServiceCIDRs) == 0 {
		p.report(path+".serviceCIDRs", "missing; a member has one or more, as 10.101.0.0/19")
	}
	m.DNS = p.checks.upstreams(path, c.DNS, m.ServiceCIDRs)
	p.upstreams += len(m.DNS)
	return m
}

// name returns a member's name, which no other member has.
func (p *parser) name(path, value string) string {
	if !p.checks.name(path, value) {
		return ""
	}
	if first, taken := p.members[value]; taken {
		p.wrong(path, value, "duplicate member; first at "+first.key+": "+first.path)
		return ""
	}
	p.members[value] = position{p.key, path}
	return value
}

func (p *parser) policy(path string, of *Policy) model.Policy {
	p.checks.services(path+".services", of.Services)
	p.checks.affinity(path+".affinity", of.Affinity)
	if isEmpty(of.Allow) {
		p.report(path+".allow", "empty; leave it out for all members")
	}
	for i, member := range p.checks.bounded(path+".allow", of.Allow) {
		p.refer(fmt.Sprintf("%s.allow[%d]", path, i), member)
	}
	for _, member := range p.checks.bounded(path+".weights", slices.Sorted(maps.Keys(of.Weights))) {
		at := path + ".weights." + member
		p.refer(at, member)
		if weight := of.Weights[member]; weight < 0 {
			p.wrong(at, weight, "below 0")
		}
	}
	for i, member := range p.checks.bounded(path+".failover", of.Failover) {
		p.refer(fmt.Sprintf("%s.failover[%d]", path, i), member)
	}
	return model.Policy{
		Services: of.Services, Allow: of.Allow, Affinity: model.Affinities[of.Affinity], Weights: of.Weights, Failover: of.Failover,
	}
}

// refer keeps a member that a policy names: it may be in a document that comes later.
func (p *parser) refer(path, member string) {
	if _, exists := p.members[member]; exists {
		return
	}
	if p.refers[member]++; p.refers[member] <= maxErrors {
		p.referred = append(p.referred, reference{position{p.key, path}, member})
	}
}

// references checks that the members which policies name exist, in whatever document.
func (p *parser) references() {
	if p.unread {
		return
	}
	for _, r := range p.referred {
		if _, exists := p.members[r.member]; !exists {
			p.key = r.key
			p.wrong(r.path, r.member, "not a member")
		}
	}
}

// overlaps warns of members of one network whose CIDRs share addresses.
func (p *parser) overlaps() {
	for _, o := range model.Overlaps(p.set.Clusters) {
		p.warn(o.B, fieldOfCIDR(o), o.PrefixB.String(), fmt.Sprintf("overlaps %s of %s: no PTR is served for the addresses in both", o.PrefixA, o.A.Name))
	}
}

// fieldOfCIDR returns where in its member an overlap's second CIDR is.
func fieldOfCIDR(o model.Overlap) string {
	if i := slices.Index(o.B.ServiceCIDRs, o.PrefixB); i >= 0 {
		return fmt.Sprintf("serviceCIDRs[%d]", i)
	}
	return fmt.Sprintf("podCIDRs[%d]", slices.Index(o.B.PodCIDRs, o.PrefixB))
}

// warn adds a warning about a field of a member.
func (p *parser) warn(c *model.Cluster, field, value, message string) {
	at := p.members[c.Name]
	p.add(Finding{Severity: Warning, Key: at.key, Path: strings.TrimSuffix(at.path, "name") + field, Value: value, Message: message})
}
