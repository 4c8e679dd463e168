// Package clustertest has what several tests need: DNS servers on loopback that
// behave, or misbehave, as a test wants, and zones to serve.
package clustertest
