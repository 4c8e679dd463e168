// Package exchange asks a member's DNS. It decides whom to ask: which of the member's
// upstreams, when another one, and what a reply is worth. A reply it returns answers the
// question that was asked.
//
// A query in flight that an equal one finds is joined (coalesce.go); else it is a race
// (race.go): its message goes to one upstream (candidates.go), and to the next when that
// fails or takes long (retry.go); the first good reply wins (verdict.go). What is known of
// an upstream is its health (health.go, by probes: probe.go), whether it is ejected
// (ejection.go), what it doesn't support (capability.go) and how long its replies take
// (latency.go).
//
// The connections are below, in package transport, and the messages' form below that, in
// package wire. What a reply says is neither renamed nor checked: that is the callers'.
package exchange
