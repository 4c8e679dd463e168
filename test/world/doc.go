// Package world is three clusters on one machine, for tests and the demo: cluster1,
// cluster2 and cluster3, each with a real API server, objects as kubeadm makes them,
// and a CoreDNS of two replicas, the one of this repository, which answers
// cluster.local and has clusterset in its Corefile, as deploy/kustomize/kube-system has
// it. Nothing is joined to begin with.
//
// All of it is in one network namespace that nobody else sees, so that addresses are
// as they are in clusters: a cluster's service addresses, its pods' and its node's are
// all on the namespace's loopback, and the clusters reach each other. Enter makes that
// namespace; it needs no root where the system lets users make namespaces. Start starts
// the clusters.
//
// What stands in for a node: its replicas are processes (replica.go), and a kubelet that
// forwards ports (kubelet.go). As all replicas share one loopback, what a pod has on
// 127.0.0.1 is on an address of that pod's own there.
//
// Its files have the build tag e2e, as the tests that use it do. They need Linux.
package world
