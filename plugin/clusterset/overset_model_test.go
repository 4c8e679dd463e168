package clusterset

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// world is a random ClusterSet, with one Service web.shop, and how its names are to be
// answered, told once more and as plainly as possible.
type world struct {
	o      options
	local  string // "" is unknown
	policy *model.Policy
	sites  []*site
}

// site is a member.
type site struct {
	cluster model.Cluster
	data    string // fresh, stale, too old, unsynced, none
	dns     string // has, hasn't, dead
	// service is what its data have, nil without; exported since then, or by a mark.
	service  *model.Service
	exported bool
	since    time.Time
	// ready and unready are its endpoints; loadBalancer and stolen are more addresses, the
	// latter another member's.
	ready, unready       []netip.Addr
	loadBalancer, stolen []netip.Addr
}

// verdict is what is known of a member.
type verdict struct {
	site *site
	// has is yes, no, unknown, or unreachable.
	has   string
	stale bool
	// ready of total endpoints; none are known by DNS alone.
	ready, total int
	addresses    []netip.Addr
}

// rules are who is preferred.
type rules struct {
	affinity  model.Affinity
	weights   map[string]int
	failover  []string
	ownAlone  bool // internalTrafficPolicy Local
	byPolicy  bool
	ofService model.ServiceType // the oldest export's
}

func (w *world) isLocal(s *site) bool { return s.cluster.Name == w.local }

func (w *world) localSite() *site {
	for _, s := range w.sites {
		if w.isLocal(s) {
			return s
		}
	}
	return nil
}

func (s *site) exports() bool {
	return s.exported && s.service != nil && s.service.Type != model.External
}

// answersByData reports whether a member's data are used before its DNS.
func (w *world) answersByData(s *site) bool {
	inTime := s.data == "stale" && w.o.serveStale > 0
	return s.exports() && w.offers(s) && (s.data == "fresh" || inTime && w.o.mode == model.ModeResolve)
}

func (w *world) offers(s *site) bool { return w.isLocal(s) || s.cluster.Offers("shop") }

// rules are those of the policy, else of the local cluster's Service, else of the oldest.
func (w *world) rules() rules {
	r := rules{affinity: w.o.affinity}
	var found []*site
	for _, s := range w.sites {
		if w.answersByData(s) {
			found = append(found, s)
		}
	}
	age := func(s *site) int64 {
		if s.since.IsZero() {
			return math.MaxInt64
		}
		return s.since.Unix()
	}
	slices.SortStableFunc(found, func(a, b *site) int { return cmp.Compare(age(a), age(b)) })
	if len(found) > 0 {
		r.ofService = found[0].service.Type
		of := found[0].service
		if l := w.localSite(); l != nil && w.answersByData(l) && l.service.Type == r.ofService {
			of = l.service
		}
		switch {
		case of.CiliumAffinity != model.NoAffinity:
			r.affinity = of.CiliumAffinity
		case of.Distribution != model.DistributeEvenly:
			r.affinity = model.AffinityNearest
		default:
			r.ownAlone = of.InternalLocal
		}
	}
	if p := w.policy; p != nil && (p.Affinity != model.NoAffinity || p.Weights != nil || p.Failover != nil) {
		r.byPolicy, r.ownAlone, r.weights, r.failover = true, false, p.Weights, p.Failover
		r.affinity = cmp.Or(p.Affinity, r.affinity)
	}
	return r
}

// verdict says what is known of a member.
func (w *world) verdict(s *site, r *rules) verdict {
	asks := w.o.mode != model.ModeResolve
	switch {
	case !w.offers(s):
		return verdict{site: s, has: "no"}
	case s.data == "fresh" && !s.exports():
		return verdict{site: s, has: "no"}
	case s.data == "fresh":
		return w.byData(s, r)
	case s.data == "none", s.data == "unsynced":
		if !asks || w.o.exportsMarked {
			return verdict{site: s, has: "unknown"}
		}
		return w.byDNS(s)
	case !asks:
		if !w.answersByData(s) {
			return verdict{site: s, has: "unknown"}
		}
		return w.byData(s, r)
	case !s.exported: // and stale: whether it is exported now isn't known
		if s.dns == "hasn't" && !w.o.exportsMarked {
			return verdict{site: s, has: "no"}
		}
		return verdict{site: s, has: "unknown"}
	case s.dns == "dead" && s.exports() && s.data == "stale" && w.o.serveStale > 0:
		return w.byData(s, r)
	}
	v := w.byDNS(s)
	if v.has == "unreachable" && s.exports() && s.data == "stale" && w.o.serveStale > 0 { // but for its load balancer, which DNS doesn't know
		return w.byData(s, r)
	}
	return v
}

// byData says what a member's data say, which have the service. Stale ones never say no.
func (w *world) byData(s *site, r *rules) verdict {
	v := verdict{site: s, has: "yes", stale: s.data != "fresh", ready: len(s.ready), total: max(1, len(s.ready)+len(s.unready))}
	v.addresses = w.reachable(s)
	no := "no"
	if v.stale {
		no = "unknown"
	}
	conflicts := w.answersByData(s) && s.service.Type != r.ofService
	others := s.service.InternalLocal && !r.byPolicy && !w.isLocal(s)
	switch {
	case conflicts, others, v.ready == 0 && v.stale:
		v.has = no
	case v.ready == 0: // known, and not ready
	case len(v.addresses) == 0:
		v.has = "unreachable"
	}
	return v
}

// byDNS says what a member's DNS says: 10.N.9.1.
func (w *world) byDNS(s *site) verdict {
	v := verdict{site: s, has: "yes"}
	switch {
	case s.dns == "hasn't":
		v.has = "no"
	case s.dns == "dead":
		v.has = "unknown"
	case !w.isForeign(s):
		own := s.cluster.ServiceCIDRs[0].Addr().As4()
		v.addresses = []netip.Addr{netip.AddrFrom4([4]byte{10, own[1], 9, 1})}
	case len(s.cluster.Gateways) == 0:
		v.has = "unreachable"
	default:
		v.addresses = ofFamilies(s.cluster.Gateways, true, false)
	}
	return v
}

func (w *world) isForeign(s *site) bool {
	l := w.localSite()
	return l != nil && l.cluster.Network != s.cluster.Network
}

func ofFamilies(all []netip.Addr, v4, v6 bool) (kept []netip.Addr) {
	for _, a := range all {
		if a.Is4() && v4 || a.Is6() && v6 {
			kept = append(kept, a)
		}
	}
	return kept
}

// reachable are the addresses of the first kind that clients here can connect to.
func (w *world) reachable(s *site) []netip.Addr {
	reach := s.cluster.Reach
	switch {
	case w.isLocal(s), reach == nil && !w.isForeign(s):
		reach = []model.Reach{model.ReachServices}
	case reach == nil:
		reach = []model.Reach{model.ReachLoadBalancers, model.ReachGateways}
	case reach[0] == model.ReachServices: // which every Service has
		reach = reach[:1]
	}
	own := s.service.ClusterIPs
	if s.service.Type == model.Headless {
		own = s.ready
	}
	for _, kind := range reach {
		var all []netip.Addr
		switch kind {
		case model.ReachServices:
			all = own
		case model.ReachPods:
			all = s.ready
		case model.ReachLoadBalancers:
			all = s.loadBalancer
		case model.ReachGateways:
			is := func(v6 bool) bool {
				return slices.ContainsFunc(own, func(a netip.Addr) bool { return a.Is6() == v6 })
			}
			all = ofFamilies(s.cluster.Gateways, is(false), is(true))
		}
		all = slices.DeleteFunc(slices.Clone(all), func(a netip.Addr) bool { return slices.Contains(s.stolen, a) && w.isStolen(s) })
		if len(all) > 0 {
			return all
		}
	}
	return nil
}

// isStolen reports whether addresses that another member declares, in network default, mean that
// member's for this one, or for clients here.
func (w *world) isStolen(s *site) bool {
	l := w.localSite()
	return l == nil || s.cluster.Network == "default" || l.cluster.Network == "default"
}

// rank is a member's priority: the lowest answers first.
func (w *world) rank(s *site, r *rules) int {
	const byAffinity = 1000
	if r.weights[s.cluster.Name] > 0 {
		return 0
	}
	if i := slices.Index(r.failover, s.cluster.Name); i >= 0 {
		return 1 + i
	}
	local := w.isLocal(s)
	switch r.affinity {
	case model.AffinityLocal:
		if local {
			return byAffinity
		}
		return byAffinity + 1
	case model.AffinityRemote:
		if local {
			return byAffinity + 1
		}
	case model.AffinityNearest:
		return byAffinity + w.distance(s)
	}
	return byAffinity
}

const farther = 3 // in nearest's order, by round-trip time

func (w *world) distance(s *site) int {
	l := w.localSite()
	switch {
	case w.isLocal(s):
		return 0
	case l == nil:
		return farther
	case s.cluster.Zone != "" && s.cluster.Zone == l.cluster.Zone && (s.cluster.Region == l.cluster.Region || s.cluster.Region == "" || l.cluster.Region == ""):
		return 1
	case s.cluster.Region != "" && s.cluster.Region == l.cluster.Region:
		return 2
	}
	return farther
}

// mayAnswer reports whether a member answers where no other does.
func (w *world) mayAnswer(v *verdict, r *rules) bool {
	weight, weighted := r.weights[v.site.cluster.Name]
	return v.has == "yes" && (v.total == 0 || v.ready > 0) && (!weighted || weight > 0) && (!r.ownAlone || w.isLocal(v.site))
}

// group is a priority.
type group struct {
	members []verdict
	// ready of total endpoints, those of members that have none ready too.
	ready, total int
	// oneOf is where one member answers, anyOf where some of them may.
	oneOf, anyOf bool
}

// groups are the priorities, the first one first; none where nobody answers.
func (w *world) groups() (all []group, verdicts []verdict) {
	r := w.rules()
	live := false
	for _, s := range w.sites {
		v := w.verdict(s, &r)
		verdicts = append(verdicts, v)
		live = live || w.mayAnswer(&v, &r) && !v.stale
	}
	byRank := make(map[int]*group)
	var ranks []int
	for _, v := range verdicts {
		unready := v.has == "yes" && v.total > 0 && v.ready == 0 && (!r.ownAlone || w.isLocal(v.site))
		if weight, weighted := r.weights[v.site.cluster.Name]; weighted && weight <= 0 {
			unready = false
		}
		may := w.mayAnswer(&v, &r)
		if !may && !unready || v.stale == live {
			continue
		}
		rank := w.rank(v.site, &r)
		g := byRank[rank]
		if g == nil {
			g = &group{oneOf: rank == 0, anyOf: r.affinity == model.AffinityNearest && rank == 1000+farther}
			byRank[rank], ranks = g, append(ranks, rank)
		}
		g.ready, g.total = g.ready+v.ready, g.total+v.total
		if may {
			g.members = append(g.members, v)
		}
	}
	slices.Sort(ranks)
	for _, rank := range ranks {
		if g := byRank[rank]; len(g.members) > 0 {
			all = append(all, *g)
		}
	}
	return all, verdicts
}

// isByTime reports whether round-trip times decide, which change.
func (w *world) isByTime() bool {
	groups, _ := w.groups()
	return slices.ContainsFunc(groups, func(g group) bool { return g.anyOf && len(g.members) > 1 })
}

// isHealthy reports whether a group takes all replies: Envoy's overprovisioning factor is 1.4.
func (g *group) isHealthy() bool { return g.total == 0 || g.ready*140/g.total >= 100 }
