// Package controlplane is "kube up": the control planes of a ClusterSet on loopback, as
// child processes. One etcd serves them all; each cluster has a prefix in it,
// an API server and a controller manager of its own.
//
// It runs no nodes and no pods, and does not make one cluster a member of
// another: its callers, tests and demos, do that with the kubeconfigs it
// writes. It reports on stdout and obeys stdin, one line each, so that a test
// in any module or language can drive it; see [Event] and the README.
//
// No child outlives it, whatever ends it.
package controlplane
