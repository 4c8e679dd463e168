// Package transport carries queries to one upstream and their replies back, many at a time
// over a few connections. It doesn't know what a reply is worth or whom to ask next: that
// is package exchange's.
//
// A Call is a query in flight, with the messages that were sent for it (call.go). A
// connection has those on its list until their reply comes (pending.go). The transports are
// UDP (udp.go), TCP and TLS (stream.go), HTTPS and QUIC (requests.go, with a session each
// in https.go and quic.go); New has the list of them.
package transport
