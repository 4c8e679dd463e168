package main

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
	// both is whether it is measured with batch too, and batch whether it has it.
	both, batch bool
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
	lines := c.around + "    " + c.plugin + "\n"
	if c.batch {
		lines = "    batch\n" + lines
	}
	return ".:" + port + " {\n    bind " + bindAddress + "\n" + lines + "}\n"
}

const bindAddress = "ADDRESS"

const (
	// ours is the contender that is compared with itself of before; so is wide.
	ours = "clusterset"
	// nothing is what stands around a plugin that is alone in its server block.
	nothing = "nothing"
	// kubeSystem are plugins of the Corefile that is recommended for kube-system, its cache too.
	kubeSystem = "errors, prometheus, cache, loadbalance"

	// The peers: CoreDNS's plugins, of which kubernetes is the one in its tree.
	whoami  = "whoami"
	forward = "forward"
	inTree  = "kubernetes"
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

var forwarded = work{title: "forwarded, not cached", contenders: []contender{
	{name: whoami, suffix: memberDomain, plugin: whoami, both: true},
	{name: forward, suffix: memberDomain, plugin: forwardMember, both: true},
	{name: ours, suffix: "svc.c1.lan", plugin: forwardMode, both: true},
	{name: "clusterset, short form", suffix: "c1.lan", plugin: forwardMode},
}, peers: []string{whoami, forward}, goals: []goal{
	{of: ours, beside: forward, most: 0.80},
	{of: whoami + batched, beside: whoami, most: 0.50, around: nothing},
	{of: forward + batched, beside: forward, most: 0.90},
	{of: ours + batched, beside: ours, most: 0.90},
}}

// Every name fits into the caches, and is in them before it is measured.
var cached = work{title: "answered from a cache", contenders: []contender{
	{name: whoami, suffix: memberDomain, plugin: whoami, both: true},
	{name: cacheForward, suffix: memberDomain, plugin: roomyCache + "\n    " + forwardMember},
	{name: unbound, suffix: memberDomain, plugin: unboundConfig},
	{name: ours, suffix: "svc.c1.lan", plugin: cacheMode, both: true},
	{name: "clusterset, short form", suffix: "c1.lan", plugin: cacheMode},
}, peers: []string{whoami, cacheForward, unbound}, goals: []goal{
	{of: ours, beside: whoami, most: 1.02},
	{of: whoami + batched, beside: whoami, most: 0.50, around: nothing},
	{of: ours + batched, beside: ours, most: 0.50, around: nothing},
	{of: ours + batched, beside: unbound, most: 1.30, around: nothing},
}}

const (
	cacheForward = "cache+forward"
	// roomyCache holds 10,000 answers, as clusterset's cache does. CoreDNS's divides its
	// capacity among 256 shards, 39 each of the default's 9,984, and drops answers of a
	// full one: the fullest here has 51, and some 500 answers would be gone.
	roomyCache = "cache {\n        success 16384\n    }"
)

var fromData = work{title: "answered from data", more: []string{kubeSystem}, contenders: []contender{
	{name: whoami, suffix: memberDomain, plugin: whoami, both: true},
	{name: inTree, suffix: memberDomain, plugin: kubernetes, both: true},
	{name: ours, suffix: "svc.c1.lan", plugin: dataMode, both: true},
	{name: "clusterset, short form", suffix: "c1.lan", plugin: dataMode},
}, peers: []string{whoami, inTree}, goals: []goal{
	{of: ours, beside: whoami, most: 1.02},
	{of: ours, beside: inTree, most: 0.60, around: kubeSystem},
	{of: whoami + batched, beside: whoami, most: 0.50, around: nothing},
	{of: ours + batched, beside: ours, most: 0.50, around: nothing},
	{of: ours + batched, beside: ours, most: 0.55, around: "errors, prometheus"},
	{of: inTree + batched, beside: inTree, most: 0.50, around: nothing},
	{of: inTree + batched, beside: inTree, most: 0.55, around: kubeSystem},
}}

// fromMarked keeps in memory only what is exported.
var fromMarked = work{title: "answered from data, exports marked", contenders: []contender{
	{name: whoami, suffix: memberDomain, plugin: whoami, both: true},
	{name: inTree, suffix: memberDomain, plugin: kubernetes, both: true},
	{name: ours, suffix: "svc.c1.lan", plugin: markedMode, both: true},
	{name: "clusterset, short form", suffix: "c1.lan", plugin: markedMode},
}}

const (
	forwardMember = "forward . " + memberAddress + ":" + port

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
