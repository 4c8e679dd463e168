package services

import (
	"cmp"
	"slices"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Rule is what decided how members of a service are chosen.
type Rule string

// The rules, first the one that counts.
const (
	ByPolicy       Rule = "policy"
	ByAnnotation   Rule = "annotation"
	ByDistribution Rule = "trafficDistribution"
	ByTraffic      Rule = "internalTrafficPolicy"
	ByDefault      Rule = "default"
	ByImport       Rule = "import"
)

// settleConflicts leaves out exports of another type than the oldest's: KEP-1645, "Conflict
// resolution". What marks export has no age, and counts after what has.
func (b *Builder) settleConflicts() {
	slices.SortStableFunc(b.found, func(x, y Export) int {
		if x.since.IsZero() != y.since.IsZero() {
			return cmp.Compare(boolInt(x.since.IsZero()), boolInt(y.since.IsZero()))
		}
		return x.since.Compare(y.since)
	})
	b.found = slices.DeleteFunc(b.found, func(e Export) bool {
		if e.of.Type == b.found[0].of.Type {
			return false
		}
		b.leaveOut(&e, errConflict, members.NoExtendedError)
		return true
	})
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// setRules sets what decides: a policy, the Service's own annotation, its
// trafficDistribution, its internalTrafficPolicy, the Corefile's affinity; of these the
// local cluster's Service, else that of the oldest export.
func (b *Builder) setRules(policy *model.Policy) {
	b.rules.Affinity, b.rule = b.Affinity, ByDefault
	if len(b.found) > 0 {
		of := b.found[0].of
		if of.SessionAffinity > 0 {
			b.window = time.Duration(of.SessionAffinity) * time.Second
		}
		for i := range b.found {
			if b.found[i].member == b.set.Local {
				of = b.found[i].of
			}
		}
		b.ownRules(of)
	}
	if policy != nil && (policy.Affinity != model.NoAffinity || policy.Weights != nil || policy.Failover != nil) {
		b.rule = ByPolicy
		b.rules.LocalOnly, b.rules.Strict = false, false
		b.rules.Affinity = cmp.Or(policy.Affinity, b.rules.Affinity)
		b.rules.Weights, b.rules.Failover = policy.Weights, policy.Failover
	}
}

// ownRules sets those of a Service.
func (b *Builder) ownRules(s *model.Service) {
	switch {
	case s.CiliumAffinity != model.NoAffinity:
		b.rules.Affinity, b.rules.Strict, b.rule = s.CiliumAffinity, true, ByAnnotation
	case s.Distribution != model.DistributeEvenly:
		b.rules.Affinity, b.rule = model.AffinityNearest, ByDistribution
	case s.InternalLocal:
		b.rules.LocalOnly, b.rule = true, ByTraffic
	}
}
