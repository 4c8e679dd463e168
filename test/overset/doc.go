// Package overset tests names over the whole ClusterSet end to end: what users of Linkerd,
// Cilium, Istio, Envoy, Submariner and the clouds' meshes do today, and the Multi-Cluster
// Services API (KEP-1645). The members are three real API servers, or CoreDNS; a real CoreDNS
// is asked.
package overset
