//go:build e2e && linux

package main

import "github.com/coredns-clusterset/clusterset/test/world"

// session is what README.md shows. The service web is in the namespace shop of each cluster.
var session = []step{
	{command: "kubectl clusterset join --contexts cluster1,cluster2,cluster3 2>join.log"},
	{command: "kubectl clusterset status --wait 2m"},
	{command: "kubectl clusterset lookup web.shop.cluster2.lan"},
	{command: "kubectl clusterset lookup web.shop.svc.clusterset.local"},
	{
		say:     "All of cluster2's CoreDNS dies.",
		do:      func(w *world.World) { w.Cluster("cluster2").StopDNS() },
		until:   "kubectl clusterset status",
		command: "kubectl clusterset status",
		code:    1,
	},
	{
		say:     "It is back.",
		do:      func(w *world.World) { w.Cluster("cluster2").StartDNS() },
		command: "kubectl clusterset status --wait 2m -o short",
	},
	{command: "kubectl clusterset leave cluster3 --from-context cluster3"},
	{command: "kubectl clusterset status"},
}
