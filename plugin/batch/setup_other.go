//go:build !linux

package batch

import (
	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
)

// serveInBatches does nothing: other systems have no calls for many packets.
func serveInBatches(*caddy.Controller, *dnsserver.Config) {
	log.Warning("Packets are read one at a time on this system")
}
