package discovery

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

func (v *validation) policy(path string, p *policy) model.Policy {
	if len(p.Services) == 0 {
		v.errorf(path+".services", "missing; as [payments/checkout, \"payments/*\"]")
	}
	for i, service := range v.bounded(path+".services", p.Services) {
		if !servicePattern(service) {
			v.wrong(fmt.Sprintf("%s.services[%d]", path, i), service, `not NAMESPACE/NAME; either may be "*"`)
		}
	}
	if p.Affinity != "" && !slices.Contains(affinities, p.Affinity) {
		v.wrong(path+".affinity", p.Affinity, "not one of "+strings.Join(affinities, ", "))
	}
	for _, member := range v.bounded(path+".weights", slices.Sorted(maps.Keys(p.Weights))) {
		at := path + ".weights." + member
		v.refer(at, member)
		if p.Weights[member] < 0 {
			v.errorf(at, "%d: below 0", p.Weights[member])
		}
	}
	for i, member := range v.bounded(path+".failover", p.Failover) {
		v.refer(fmt.Sprintf("%s.failover[%d]", path, i), member)
	}
	return model.Policy{Services: p.Services, Affinity: p.Affinity, Weights: p.Weights, Failover: p.Failover}
}

func (v *validation) refer(path, member string) {
	if _, exists := v.members[member]; exists {
		return
	}
	if v.refers[member]++; v.refers[member] <= maxErrors {
		v.referred = append(v.referred, reference{v.key, path, member})
	}
}

func servicePattern(s string) bool {
	namespace, name, ok := strings.Cut(s, "/")
	return ok && (namespace == "*" || !notLabel(namespace)) && (name == "*" || !notLabel(name))
}
