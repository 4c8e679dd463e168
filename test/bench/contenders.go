package main

import (
	"slices"
	"strings"
)

// contender is a server, and the names it is asked for.
type contender struct {
	name   string
	plugin string
	// around are the plugins before it in its server block, as Corefile lines.
	around string
	// suffix ends the names: that of the member's own domain, or of the zone
	// that clusterset serves it under.
	suffix string
	// some is whether it is asked for the first oversetNames names alone.
	some bool
	// before is whether it is the binary of before.
	before bool
}

func (c contender) questions() string {
	if c.some {
		return c.suffix + ".some"
	}
	return c.suffix + ".questions"
}

// corefile is that of a server in front of the member; the address that it binds is
// filled in when it starts.
func (c contender) corefile() string {
	return ".:" + port + " {\n    bind " + bindAddress + "\n" + c.around + "    " + c.plugin + "\n}\n"
}

const bindAddress = "ADDRESS"

// work is what contenders do, and the peers that their costs are compared with.
type work struct {
	title      string
	contenders []contender
	peers      []string
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
// of before, it takes part, in its turn next to that of now.
func (w work) around(plugins string, withBefore bool) table {
	var lines strings.Builder
	for plugin := range strings.SplitSeq(plugins, ",") {
		switch plugin = strings.TrimSpace(plugin); plugin {
		case nothing:
			continue
		case "prometheus": // an address of each one's own
			plugin += " " + bindAddress + ":9153"
		}
		lines.WriteString("    " + plugin + "\n")
	}
	t := table{around: plugins, work: work{title: w.title + ", around it " + plugins, peers: w.peers}}
	for _, c := range w.contenders {
		c.around = lines.String()
		t.contenders = append(t.contenders, c)
		if withBefore && (c.name == ours || c.name == wide) {
			c.name, c.before = before, true
			t.contenders = append(t.contenders, c)
		}
	}
	if withBefore {
		t.peers = append(slices.Clone(t.peers), before)
	}
	return t
}

const (
	// ours is the contender that is compared with itself of before; so is wide.
	ours = "clusterset"
	// nothing is what stands around a plugin that is alone in its server block.
	nothing = "nothing"
)

// The member and the servers in front of it, on loopback addresses of their own.
const (
	memberAddress = "127.0.41.10"
	lateAddress   = "127.0.41.11"
	frontNetwork  = "127.0.42."
	port          = "5341"
	memberDomain  = "svc.cluster.local"
)

var memberCorefile = `cluster.local:` + port + ` {
    bind ` + memberAddress + `
    file cluster.local.zone
}
`

var forwarded = work{"forwarded, not cached", []contender{
	{name: "whoami", suffix: memberDomain, plugin: "whoami"},
	{name: "forward", suffix: memberDomain, plugin: "forward . " + memberAddress + ":" + port},
	{name: ours, suffix: "svc.c1.lan", plugin: forwardMode},
	{name: "clusterset, short form", suffix: "c1.lan", plugin: forwardMode},
}, []string{"whoami", "forward"}}

// Every name fits into the caches, and is in them before it is measured.
var cached = work{"answered from a cache", []contender{
	{name: "whoami", suffix: memberDomain, plugin: "whoami"},
	{name: cacheForward, suffix: memberDomain, plugin: roomyCache + "\n    forward . " + memberAddress + ":" + port},
	{name: ours, suffix: "svc.c1.lan", plugin: cacheMode},
	{name: "clusterset, short form", suffix: "c1.lan", plugin: cacheMode},
}, []string{"whoami", cacheForward}}

const (
	cacheForward = "cache+forward"
	// roomyCache holds 10,000 answers, as clusterset's cache does. CoreDNS's divides its
	// capacity among 256 shards, 39 each of the default's 9,984, and drops answers of a
	// full one: the fullest here has 51, and some 500 answers would be gone.
	roomyCache = "cache {\n        success 16384\n    }"
)

var fromData = work{"answered from data", []contender{
	{name: "whoami", suffix: memberDomain, plugin: "whoami"},
	{name: "kubernetes", suffix: memberDomain, plugin: kubernetes},
	{name: ours, suffix: "svc.c1.lan", plugin: dataMode},
	{name: "clusterset, short form", suffix: "c1.lan", plugin: dataMode},
}, []string{"whoami", "kubernetes"}}

// fromMarked keeps in memory only what is exported.
var fromMarked = work{"answered from data, exports marked", []contender{
	{name: "whoami", suffix: memberDomain, plugin: "whoami"},
	{name: "kubernetes", suffix: memberDomain, plugin: kubernetes},
	{name: ours, suffix: "svc.c1.lan", plugin: markedMode},
	{name: "clusterset, short form", suffix: "c1.lan", plugin: markedMode},
}, []string{"whoami", "kubernetes"}}

const (
	forwardMode = "clusterset lan {\n        file forward.yaml\n        mode forward\n        cache 0\n    }"
	cacheMode   = "clusterset lan {\n        file forward.yaml\n        mode forward\n        cache\n    }"
	dataMode    = "clusterset lan {\n        file data.yaml\n        mode resolve\n    }"
	markedMode  = "clusterset lan {\n        file data.yaml\n        mode resolve\n        exports marked\n    }"
	kubernetes  = "kubernetes cluster.local {\n        kubeconfig c1.kubeconfig\n    }"
)

const clusterSet = `apiVersion: clusterset/v1alpha1
kind: ClusterSet
clusters:
- name: c1
  serviceCIDRs: [10.101.0.0/16]
  dns: ["` + memberAddress + ":" + port + `"]
`

// The same with a second upstream, which is sometimes late.
const clusterSetWithTail = `apiVersion: clusterset/v1alpha1
kind: ClusterSet
clusters:
- name: c1
  serviceCIDRs: [10.101.0.0/16]
  dns: ["` + memberAddress + ":" + port + `", "` + lateAddress + ":" + port + `"]
`

// The same with the member's API.
const clusterSetWithData = clusterSet + "  kubeconfig: {file: c1.kubeconfig}\n"
