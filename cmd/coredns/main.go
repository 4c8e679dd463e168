// The custom CoreDNS: every plugin of the CoreDNS release, and clusterset placed
// directly before kubernetes, so that it sees the cluster zones' names first; and
// batch, last, since it looks at the plugins before it.
package main

import (
	"slices"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/core/plugin" // every standard plugin
	"github.com/coredns/coredns/coremain"

	"github.com/coredns-clusterset/clusterset/cmd/coredns/stacks"
	_ "github.com/coredns-clusterset/clusterset/plugin/batch"
	_ "github.com/coredns-clusterset/clusterset/plugin/clusterset"
)

// version is clusterset's own; the Makefile sets it.
var version = "dev"

func init() {
	at := slices.Index(dnsserver.Directives, "kubernetes")
	dnsserver.Directives = append(slices.Insert(dnsserver.Directives, at, "clusterset"), "batch")
	caddy.AppVersion = coremain.CoreVersion + "+clusterset-" + version
}

func main() {
	stacks.Grow()
	coremain.Run()
}
