package main

// contender is a server in front of the member, and the names it is asked for.
type contender struct {
	name     string
	corefile string
	// suffix ends the names: that of the member's own domain, or of the zone
	// that clusterset serves it under.
	suffix string
}

// The member and the servers in front of it, on loopback addresses of their own.
const (
	memberAddress = "127.0.41.10"
	frontAddress  = "127.0.41.1"
	port          = "5341"
	memberDomain  = "svc.cluster.local"
)

var memberCorefile = `cluster.local:` + port + ` {
    bind ` + memberAddress + `
    file cluster.local.zone
}
`

var contenders = []contender{
	{name: "whoami", suffix: memberDomain, corefile: front("whoami")},
	{name: "forward", suffix: memberDomain, corefile: front("forward . " + memberAddress + ":" + port)},
	{name: "clusterset", suffix: "svc.c1.lan", corefile: front("clusterset lan {\n        file clusterset.yaml\n    }")},
	{name: "clusterset, short form", suffix: "c1.lan", corefile: front("clusterset lan {\n        file clusterset.yaml\n    }")},
}

// peer is what the others are compared with.
const peer = "forward"

func front(plugin string) string {
	return ".:" + port + " {\n    bind " + frontAddress + "\n    " + plugin + "\n}\n"
}

const clusterSet = `apiVersion: clusterset/v1alpha1
kind: ClusterSet
clusters:
- name: c1
  serviceCIDRs: [10.101.0.0/16]
  dns: ["` + memberAddress + ":" + port + `"]
`
