package main

// contender is a server, and the names it is asked for.
type contender struct {
	name     string
	corefile string
	// suffix ends the names: that of the member's own domain, or of the zone
	// that clusterset serves it under.
	suffix string
}

func (c contender) questions() string { return c.suffix + ".questions" }

// table is a set of contenders that do the same work, measured in turn, and the
// peers that their costs are compared with.
type table struct {
	title      string
	contenders []contender
	peers      []string
}

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

var forwarded = table{"forwarded, not cached", []contender{
	{name: "whoami", suffix: memberDomain, corefile: front("whoami")},
	{name: "forward", suffix: memberDomain, corefile: front("forward . " + memberAddress + ":" + port)},
	{name: "clusterset", suffix: "svc.c1.lan", corefile: front(forwardMode)},
	{name: "clusterset, short form", suffix: "c1.lan", corefile: front(forwardMode)},
}, []string{"forward"}}

// Every name fits into the caches, and is in them before it is measured.
var cached = table{"answered from a cache", []contender{
	{name: "whoami", suffix: memberDomain, corefile: front("whoami")},
	{name: "cache+forward", suffix: memberDomain, corefile: front("cache\n    forward . " + memberAddress + ":" + port)},
	{name: "clusterset", suffix: "svc.c1.lan", corefile: front(cacheMode)},
	{name: "clusterset, short form", suffix: "c1.lan", corefile: front(cacheMode)},
}, []string{"whoami", "cache+forward"}}

var fromData = table{"answered from data", []contender{
	{name: "whoami", suffix: memberDomain, corefile: front("whoami")},
	{name: "kubernetes", suffix: memberDomain, corefile: front(kubernetes)},
	{name: "clusterset", suffix: "svc.c1.lan", corefile: front(dataMode)},
	{name: "clusterset, short form", suffix: "c1.lan", corefile: front(dataMode)},
}, []string{"whoami", "kubernetes"}}

const (
	forwardMode = "clusterset lan {\n        file forward.yaml\n        mode forward\n        cache 0\n    }"
	cacheMode   = "clusterset lan {\n        file forward.yaml\n        mode forward\n        cache\n    }"
	dataMode    = "clusterset lan {\n        file data.yaml\n        mode resolve\n    }"
	kubernetes  = "kubernetes cluster.local {\n        kubeconfig c1.kubeconfig\n    }"
)

// front is the Corefile of a server in front of the member; the address that it
// binds is filled in when it starts.
func front(plugin string) string {
	return ".:" + port + " {\n    bind " + bindAddress + "\n    " + plugin + "\n}\n"
}

const bindAddress = "ADDRESS"

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
