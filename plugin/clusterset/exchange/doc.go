// Package exchange asks a member's DNS: it has the transports, their connections,
// the health of each upstream, and the way of one query among them, within its
// time. A reply it hands back answers the question that was asked.
//
// A Client's queries are races (race.go): a message goes to one upstream, and to
// the next when that fails or takes long; the first good reply wins (verdict.go).
// The transports, over UDP (udp.go), TCP and TLS (stream.go), HTTPS and QUIC
// (proxied.go), take a call and owe it an outcome, so that a query waits for all of
// them in its own goroutine.
//
// It neither renames nor judges what a reply says; that is its caller's, the
// clusterset plugin.
package exchange
