// Package netns is an end-to-end test in three networks: the namespaces
// cluster0, cluster1 and cluster2, each with a service subnet of its own, a
// CoreDNS at that subnet's 10th address and an HTTP service, and between them a
// router without any NAT. What is asked in one is answered by another through
// links that the tests cut, silence and bring back.
//
//	cluster0 10.100.0.0/19 ──┐
//	cluster1 10.101.0.0/19 ──┼── router
//	cluster2 10.102.0.0/19 ──┘
//
// Beside whole members that are lost (outage_test.go, partition_test.go) there is
// one that is asked under load while something is wrong with it, or with one of
// its two upstreams: a fault. A relay in front of a CoreDNS alters replies, or delays them; nft
// loses packets. While there is a fault, another member is asked, too, whose answers must stay right and as quick as they were just before.
//
// It runs on Linux, as root, with the build tag e2e: make e2e.
package netns
