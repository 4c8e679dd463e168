package join

import (
	"slices"
	"strings"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/objects"
)

// part is one of what join makes for a member, and what became of it.
type part struct {
	name    string
	outcome objects.Outcome
}

// outcomes are those of objects, the one that counts for a part of several first.
var outcomes = []objects.Outcome{objects.Created, objects.Changed, objects.Unchanged}

// took remembers what became of an object of a part. A dry run says it of each.
func (j *joiner) took(name string, cluster *objects.Cluster, what string, outcome objects.Outcome) {
	j.count[outcome]++
	if j.dryRun.On() {
		if outcome != objects.Unchanged || j.output.Format != cli.Short {
			j.Progress("%s in %s: %s%s", what, cluster, outcome, j.dryRun.Note())
		}
		return
	}
	at := slices.IndexFunc(j.parts, func(p part) bool { return p.name == name })
	switch {
	case at < 0:
		j.parts = append(j.parts, part{name, outcome})
	case slices.Index(outcomes, outcome) < slices.Index(outcomes, j.parts[at].outcome):
		j.parts[at].outcome = outcome
	}
}

// tell says in one line what became of a member in a cluster, so far as it came.
func (j *joiner) tell(h *here, m *member) {
	text := summary(j.parts)
	j.parts = nil
	if text == "" || text == string(objects.Unchanged) && j.output.Format == cli.Short {
		return
	}
	j.Progress("%s in %s: %s", m.name, h.cluster, text)
}

// summary is "reader, entry created; renewal unchanged", or one word where all is the same old.
func summary(parts []part) string {
	var all []string
	for _, outcome := range outcomes {
		var names []string
		for _, p := range parts {
			if p.outcome == outcome {
				names = append(names, p.name)
			}
		}
		switch {
		case len(names) == 0:
		case len(names) == len(parts) && outcome == objects.Unchanged:
			return string(outcome)
		default:
			all = append(all, strings.Join(names, ", ")+" "+string(outcome))
		}
	}
	return strings.Join(all, "; ")
}
