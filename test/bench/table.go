package main

import (
	"slices"
	"strings"
)

// work is what contenders do, and the peers that their costs are compared with.
type work struct {
	title      string
	contenders []contender
	peers      []string
	goals      []goal
	// more are surroundings that it is measured in beside those of all works.
	more []string
}

// table is a work whose contenders are measured in turn, with the same plugins around
// all of them.
type table struct {
	work
	around string
}

// before is the name of what clusterset was before.
const before = "before"

// around is the work behind those plugins, separated by commas. Where there is a binary
// of before, it takes part, in its turn next to that of now; and so do, with batch,
// those that are measured with it too.
func (w work) around(plugins string, s settings) table {
	lines := aroundLines(plugins)
	t := table{around: plugins, work: work{title: w.title + ", around it " + plugins, goals: w.goals}}
	for _, c := range w.contenders {
		if c.name == unbound && !s.unbound {
			continue
		}
		c.around = lines
		t.contenders = append(t.contenders, c)
		if s.before != "" && (c.name == ours || c.name == wide) {
			was := c
			was.name, was.before = before, true
			t.contenders = append(t.contenders, was)
		}
		if s.batch && c.both {
			c.name, c.batch = c.name+batched, true
			t.contenders = append(t.contenders, c)
		}
	}
	for _, peer := range append(slices.Clone(w.peers), before) {
		if t.has(peer) {
			t.peers = append(t.peers, peer)
		}
	}
	return t
}

// has reports whether one of the contenders has the name.
func (t table) has(name string) bool {
	return slices.ContainsFunc(t.contenders, func(c contender) bool { return c.name == name })
}

// aroundLines are the plugins as lines of a Corefile.
func aroundLines(plugins string) string {
	var lines strings.Builder
	for plugin := range strings.SplitSeq(plugins, ",") {
		switch plugin = strings.TrimSpace(plugin); plugin {
		case nothing:
			continue
		case "prometheus": // an address of each one's own
			plugin += " " + bindAddress + ":9153"
		case "cache":
			plugin = kubeSystemCache
		}
		lines.WriteString("    " + plugin + "\n")
	}
	return lines.String()
}

// kubeSystemCache is the cache of kubeadm's Corefile, which doesn't keep the cluster's own
// names, with room for all names.
const kubeSystemCache = `cache 30 {
        success 16384
        disable success cluster.local
        disable denial cluster.local
    }`
