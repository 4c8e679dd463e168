package main

import "time"

// chapter is a part of the show that only asks.
type chapter struct {
	title   string
	lookups []lookup
}

// chapters are the names of DESIGN's section 5 that forwarding answers.
var chapters = []chapter{
	{"Services", services},
	{"One name for a service of all clusters", everywhere},
	{"Headless services, pods, and a service of another cluster", others},
	{"From address to name", reverse},
	{"The zones themselves", zones},
	{"What there isn't", absent},
}

var services = []lookup{
	{
		caption: "a service: its cluster IP",
		name:    "web.default.cluster1.lan",
		want:    []string{"@ A 10.101.0.20"},
	},
	{
		caption: "the same service of another cluster",
		name:    "web.default.cluster2.lan",
		want:    []string{"@ A 10.102.0.20"},
	},
	{
		caption: "and of a cluster whose name has two labels",
		name:    "web.default.cluster3.eu.lan",
		want:    []string{"@ A 10.103.0.20"},
	},
	{
		caption: "Kubernetes' own schema, with svc, is as good",
		name:    "web.default.svc.cluster1.lan",
		want:    []string{"@ A 10.101.0.20"},
	},
	{
		caption: "dual stack: its IPv6 address",
		name:    "web.default.cluster1.lan", qtype: "AAAA",
		want: []string{"@ AAAA fd00:101::20"},
	},
	{
		caption: "case doesn't matter, and the answer keeps the question's (RFC 4343)",
		name:    "Web.DEFAULT.Cluster1.LAN",
		want:    []string{"@ A 10.101.0.20"},
	},
	{
		caption: "a named port: SRV, with the target's addresses (+ is the additional section)",
		name:    "_http._tcp.web.default.cluster1.lan", qtype: "SRV",
		want: []string{
			"@ SRV 0 100 80 web.default.svc.cluster1.lan.",
			"+ web.default.svc.cluster1.lan. A 10.101.0.20",
			"+ web.default.svc.cluster1.lan. AAAA fd00:101::20",
		},
	},
	{
		caption: "all its ports",
		name:    "web.default.cluster2.lan", qtype: "SRV",
		want: []string{
			"@ SRV 0 100 80 web.default.svc.cluster2.lan.",
			"+ web.default.svc.cluster2.lan. A 10.102.0.20",
		},
	},
}

// wide is the name of a service of all clusters, of which cluster2 is the near one: its
// Corefile has "local cluster2".
const wide = "web.default.svc.clusterset.local"

var everywhere = []lookup{
	{
		caption: "the near cluster's, cluster2, while that has it",
		name:    wide,
		want:    []string{"@ A 10.102.0.20"},
	},
	{
		caption: "its ports",
		name:    wide, qtype: "SRV",
		want: []string{"@ SRV 0 100 80 " + wide + ".", "+ @ A 10.102.0.20"},
	},
	{
		caption: "a service that the near cluster doesn't have: another's",
		name:    "db.data.svc.clusterset.local",
		want:    []string{"@ A 10.51.0.11", "@ A 10.51.3.12"},
	},
	{
		caption: "one endpoint of a named cluster",
		name:    "db-1.cluster1.db.data.svc.clusterset.local",
		want:    []string{"@ A 10.51.3.12"},
	},
	{
		caption: "a service that no cluster has",
		name:    "nope.default.svc.clusterset.local",
		want:    []string{"NXDOMAIN, SOA of clusterset.local., for 5 seconds"},
	},
}

var others = []lookup{
	{
		caption: "a headless service: every endpoint",
		name:    "db.data.cluster1.lan",
		want:    []string{"@ A 10.51.0.11", "@ A 10.51.3.12"},
	},
	{
		caption: "one endpoint, by its hostname",
		name:    "db-1.db.data.cluster1.lan",
		want:    []string{"@ A 10.51.3.12"},
	},
	{
		caption: "its named port: one SRV for each endpoint",
		name:    "_psql._tcp.db.data.cluster1.lan", qtype: "SRV",
		want: []string{
			"@ SRV 0 50 5432 db-0.db.data.svc.cluster1.lan.",
			"@ SRV 0 50 5432 db-1.db.data.svc.cluster1.lan.",
			"+ db-0.db.data.svc.cluster1.lan. A 10.51.0.11",
			"+ db-1.db.data.svc.cluster1.lan. A 10.51.3.12",
		},
	},
	{
		caption: "a pod, by its address",
		name:    "10-51-0-11.data.pod.cluster1.lan",
		want:    []string{"@ A 10.51.0.11"},
	},
	{
		caption: "an ExternalName of cluster1 that leads to cluster2, which is asked too",
		name:    "shop.default.cluster1.lan",
		want:    []string{"@ CNAME web.default.cluster2.lan.", "web.default.cluster2.lan. A 10.102.0.20"},
	},
}

var reverse = []lookup{
	{
		caption: "a cluster IP: the service, under the cluster it belongs to",
		name:    "10.101.0.20", qtype: "PTR",
		want: []string{"@ PTR web.default.svc.cluster1.lan."},
	},
	{
		caption: "of a cluster with two labels",
		name:    "10.103.0.20", qtype: "PTR",
		want: []string{"@ PTR web.default.svc.cluster3.eu.lan."},
	},
	{
		caption: "IPv6",
		name:    "fd00:101::20", qtype: "PTR",
		want: []string{"@ PTR web.default.svc.cluster1.lan."},
	},
	{
		caption: "an endpoint of a headless service",
		name:    "10.51.0.11", qtype: "PTR",
		want: []string{"@ PTR db-0.db.data.svc.cluster1.lan."},
	},
	{
		caption: "an address of cluster1 that nothing has",
		name:    "10.101.0.99", qtype: "PTR",
		want: []string{"NXDOMAIN, SOA of 10.in-addr.arpa., for 5 seconds"},
	},
}

var zones = []lookup{
	{
		caption: "the version of the names' schema",
		name:    "dns-version.cluster1.lan", qtype: "TXT",
		want: []string{`@ TXT "1.1.0"`},
	},
	{
		caption: "the cluster zone",
		name:    "lan", qtype: "SOA",
		want: []string{"@ SOA ns.dns.lan. hostmaster.lan. 1 7200 1800 86400 5"},
	},
	{
		caption: "its name server",
		name:    "lan", qtype: "NS",
		want: []string{"@ NS ns.dns.lan.", "+ ns.dns.lan. A 127.0.0.1"},
	},
	{
		caption: "a member's zone: this server is the authority for it too",
		name:    "cluster1.lan", qtype: "SOA",
		want: []string{"@ SOA ns.dns.cluster1.lan. hostmaster.cluster1.lan. 1 7200 1800 86400 5"},
	},
	{
		caption: "and its name server",
		name:    "cluster1.lan", qtype: "NS",
		want: []string{"@ NS ns.dns.cluster1.lan.", "+ ns.dns.cluster1.lan. A 127.0.0.1"},
	},
}

var absent = []lookup{
	{
		caption: "a service that cluster1 doesn't have",
		name:    "nope.default.cluster1.lan",
		want:    []string{"NXDOMAIN, SOA of cluster1.lan., for 5 seconds"},
	},
	{
		caption: "a cluster that isn't in the ClusterSet",
		name:    "web.default.cluster9.lan",
		want:    []string{"NXDOMAIN, SOA of lan., for 5 seconds"},
	},
	{
		caption: "a service without an IPv6 address: the name exists, the type doesn't",
		name:    "web.default.cluster2.lan", qtype: "AAAA",
		want: []string{"NODATA, SOA of cluster2.lan., for 5 seconds"},
	},
	{
		caption: "a service of cluster2 that claims cluster1's address is not believed",
		name:    "impostor.default.cluster2.lan",
		want:    []string{"SERVFAIL", "EDE 17 (Filtered): member cluster2: …"},
	},
}

var beforeJoin = []lookup{{
	caption: "not yet",
	name:    "web.default.cluster4.lan",
	want:    []string{"NXDOMAIN, SOA of lan., for 5 seconds"},
}}

var afterJoin = []lookup{
	{
		caption: "its services",
		name:    "web.default.cluster4.lan",
		want:    []string{"@ A 10.104.0.20"},
	},
	{
		caption: "and its addresses",
		name:    "10.104.0.20", qtype: "PTR",
		want: []string{"@ PTR web.default.svc.cluster4.lan."},
	},
}

// mistakes are what the server's log must say of config/mistake.yaml.
var mistakes = []string{
	"the last good one stays in force",
	`clusterset.yaml: clusters[4].serviceCIDRs[0]: "10.105.0.0/33": not a CIDR`,
	`unknown field "clusters[4].dnsServers"`,
}

var afterMistake = []lookup{
	{
		caption: "cluster1",
		name:    "kubernetes.default.cluster1.lan",
		want:    []string{"@ A 10.101.0.1"},
	},
	{
		caption: "cluster4",
		name:    "kubernetes.default.cluster4.lan",
		want:    []string{"@ A 10.104.0.1"},
	},
	{
		caption: "the cluster with the mistakes isn't there",
		name:    "kubernetes.default.cluster5.lan",
		want:    []string{"NXDOMAIN, SOA of lan., for 5 seconds"},
	},
}

// soon is "at once" on a busy machine: a fraction of clusterset's timeout, 2s.
const soon = 500 * time.Millisecond

// A name that nobody asked for before, so that no stale answer stands in for it.
const lost = "checkout.payments.cluster2.lan"

var afterLoss = []lookup{
	{
		caption: "its names fail at once, and the answer says why (extended error, RFC 8914)",
		name:    lost,
		want:    []string{"SERVFAIL", "EDE 2… (…): member cluster2: …"}, // 22 or 23
		within:  soon,
	},
	{
		caption: "the other clusters don't notice",
		name:    "web.default.cluster1.lan",
		want:    []string{"@ A 10.101.0.20"},
		within:  soon,
	},
	{
		caption: "none of them",
		name:    "kubernetes.default.cluster3.eu.lan",
		want:    []string{"@ A 10.103.0.1"},
		within:  soon,
	},
}

var onceDown = []lookup{{
	caption: "a name of the cluster that is down",
	name:    lost,
	want:    []string{"SERVFAIL", "EDE 22 (No Reachable Authority): member cluster2: …"},
	within:  soon,
}}

var fromFar = []lookup{{
	caption: "the same name: the far clusters'",
	name:    wide,
	want:    []string{"@ A 10.101.0.20", "@ A 10.103.0.20", "@ A 10.104.0.20"},
}}

var afterReturn = []lookup{{
	caption: "as if nothing had been",
	name:    lost,
	want:    []string{"@ A 10.102.0.30"},
}}

var fromNear = []lookup{{
	caption: "the near cluster's again",
	name:    wide,
	want:    []string{"@ A 10.102.0.20"},
}}
