// Package clustertest has what several packages' tests need: upstreams on loopback that
// behave, or misbehave, as a test wants (server.go with a handler of messages, raw.go of
// bytes, encrypted.go over TLS, HTTPS and QUIC), a firewall that forgets connections, zones
// to serve, certificates, and waiting. It imports nothing of the plugin.
package clustertest
