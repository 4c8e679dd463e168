package document

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// reaches are the words of reach.
var reaches = []model.Reach{model.ReachServices, model.ReachPods, model.ReachLoadBalancers, model.ReachGateways}

// reach returns what of a member others can connect to, nil for the default.
func (c checker) reach(path string, values Choice) []model.Reach {
	if isEmpty(values) {
		c.report(path, "empty; leave it out for the default, or give some of %s", words())
	}
	var found []model.Reach
	for i, value := range c.bounded(path, values) {
		at := fmt.Sprintf("%s[%d]", path, i)
		kind, known := model.Reaches[value]
		switch {
		case !known:
			c.wrong(at, value, "not one of "+words())
		case slices.Contains(found, kind):
			c.wrong(at, value, "given twice")
		default:
			found = append(found, kind)
		}
	}
	return found
}

func words() string {
	var all []string
	for _, kind := range reaches {
		all = append(all, kind.String())
	}
	return strings.Join(all, ", ")
}

// idle warns of what has no effect: gateways to reach where there are none, and a probe of
// gateways that nobody is sent to.
func (p *parser) idle() {
	for _, c := range p.set.Clusters {
		reach := slices.Index(c.Reach, model.ReachGateways)
		switch {
		case reach >= 0 && len(c.Gateways) == 0:
			p.warn(c, fmt.Sprintf("reach[%d]", reach), model.ReachGateways.String(), "the member has none; give gateways, or leave it out")
		case c.Probe == "":
		case len(c.Gateways) == 0:
			p.warn(c, "probe", c.Probe, "has no effect: the member has no gateways")
		case c.Reach != nil && reach < 0:
			p.warn(c, "probe", c.Probe, "has no effect: reach doesn't have gateways")
		}
	}
}
