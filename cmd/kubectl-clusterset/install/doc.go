// Package install finds the CoreDNS with clusterset in a cluster: its Deployment and pods,
// its Corefile, and in that the clusterset stanza, which says where the ClusterSet is and
// where status serves. It only reads. The verbs call it.
package install
