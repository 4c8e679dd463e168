package clusterset

import (
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/explain"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// exportWords are those of the Corefile.
var exportWords = map[bool]string{false: "all", true: "marked"}

// maxOverlaps bounds those of a status.
const maxOverlaps = 20

// Status returns the state of the stanza and its members. No query waits for it.
func (p *Clusterset) Status() status.Stanza {
	o := &p.options
	s := status.Stanza{
		Zones: p.zoneStatuses(), Mode: o.mode.String(), Exports: exportWords[o.exportsMarked], Affinity: o.affinity.String(),
		Local: o.local, Document: p.feed.Status(), Cache: p.manager.CacheStatus(), Members: []status.Member{},
	}
	if s.Ready = p.readiness.settled.Load(); !s.Ready {
		s.Waiting = p.missing()
	}
	set := p.resolver.Members()
	if set == nil {
		return s
	}
	s.Local = set.LocalName()
	s.Policies = policyStatuses(set.Policies())
	overlapping := set.Overlapping()
	for _, overlap := range overlapping[:min(len(overlapping), maxOverlaps)] {
		s.Overlaps = append(s.Overlaps, overlap.String())
	}
	if set.Imports != nil {
		imports := set.Imports.Status()
		s.Imports = &imports
	}
	for _, m := range set.Sorted() {
		s.Members = append(s.Members, set.Status(m, o.mode, p.looksUpInside(set, m)))
	}
	return s
}

func (p *Clusterset) zoneStatuses() (zones []status.Zone) {
	for _, name := range p.zones {
		if zone := p.resolver.Zones.Find(name); zone != nil {
			zones = append(zones, status.Zone{Name: name, Kind: explain.ZoneKind(zone.Kind)})
		}
	}
	return zones
}

// looksUpInside reports whether the member's names are looked up inside this server, as far as
// that is known.
func (p *Clusterset) looksUpInside(set *members.Set, m *members.Member) bool {
	return m == set.Local && p.served.isKnown(m.ClusterDomain)
}

func policyStatuses(policies []model.Policy) (all []status.Policy) {
	for i := range policies {
		of := &policies[i]
		all = append(all, status.Policy{
			Services: of.Services, Allow: of.Allow, Affinity: of.Affinity.String(), Weights: of.Weights, Failover: of.Failover,
		})
	}
	return all
}
