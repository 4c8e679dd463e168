// Package configmap tests the ClusterSet that comes from a ConfigMap: a real API
// server, real CoreDNS servers as the members' DNS and as the clusterset server,
// and what a client sees while the ConfigMap, the API server, the Secrets and
// the Corefile change.
//
// It has tests only, with the build tag e2e; `make e2e` runs them. They need
// Linux, and dnsperf where they put load on a server.
package configmap
