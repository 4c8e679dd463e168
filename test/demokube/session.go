//go:build e2e && linux

package main

import "github.com/coredns-clusterset/clusterset/test/world"

// session is what README.md shows. The service web is in the namespace shop of each cluster.
var session = []step{
	{command: "kubectl clusterset join --contexts cluster1,cluster2,cluster3 2>join.log"},
	{command: "kubectl clusterset status --wait 2m"},
	{command: "kubectl clusterset check -o short"},
	{command: "kubectl clusterset lookup web.shop.cluster2.lan"},
	{command: "kubectl clusterset lookup web.shop.svc.clusterset.local"},
	{
		say:     "cluster2's API dies. Its names are answered by its DNS.",
		do:      func(w *world.World) { w.APIs.Stop("cluster2") },
		until:   "kubectl clusterset status",
		command: "kubectl clusterset status",
		code:    1,
	},
	{command: "kubectl clusterset lookup web.shop.cluster2.lan"},
	{
		say:     "Its CoreDNS dies too. What was known goes on being answered.",
		do:      func(w *world.World) { w.Cluster("cluster2").StopDNS() },
		until:   "kubectl clusterset lookup nobody.shop.cluster2.lan --all-replicas; test $(kubectl clusterset status -o json | grep -c 'connection refused') -ge 2 && kubectl clusterset status",
		command: "kubectl clusterset status",
		code:    2,
	},
	{command: "kubectl clusterset lookup kube-dns.kube-system.cluster2.lan", code: 1},
	{
		say: "Both are back.",
		do: func(w *world.World) {
			w.APIs.Start("cluster2")
			w.Cluster("cluster2").StartDNS()
		},
		command: "kubectl clusterset status --wait 2m -o short",
	},
	{command: "kubectl clusterset leave cluster3 2>leave.log"},
	{command: "kubectl clusterset status"},
}
