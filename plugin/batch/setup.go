// Package batch is a CoreDNS plugin that reads and sends a server's UDP packets many at a time.
package batch

import (
	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"
)

const name = "batch"

var log = clog.NewWithPlugin(name)

func init() { plugin.Register(name, setup) }

func setup(c *caddy.Controller) error {
	config := dnsserver.GetConfig(c)
	for c.Next() {
		if c.NextArg() {
			return plugin.Error(name, c.ArgErr())
		}
		if c.NextBlock() {
			return plugin.Error(name, c.Errf("unknown property '%s': it has none", c.Val()))
		}
	}
	config.Plugin = withYields(config.Plugin)
	serveInBatches(c, config)
	return nil
}
