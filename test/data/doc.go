// Package data tests answers from members' data end to end: real API servers
// with kube-controller-manager, real CoreDNS servers as the members' DNS, and
// clusterset servers in the modes auto and resolve beside each other. The API
// servers are restarted, frozen, cut off, wiped; credentials end, rights are
// taken away; at each step the answers, the metrics and the time it took are
// looked at.
//
// A member's API and its DNS have different addresses for the same service, so
// that every answer tells where it is from. The TTL tells it too: data have 60
// seconds, stale data 30, a member's DNS 5.
//
// It has tests only, with the build tag e2e; `make e2e` runs them. They need
// Linux and dnsperf. With CLUSTERSET_LONG=1 the outage under load lasts two
// minutes, else 20 seconds.
package data
