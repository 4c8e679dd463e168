// Package clusterset is a CoreDNS plugin that answers names of every cluster of a
// ClusterSet. It is the adapter between CoreDNS and the packages below it: a message comes
// in, package resolver finds how it is answered, and a message goes out. README.md is its
// man page.
//
// setup.go reads the Corefile, lifecycle.go starts what is watched, handler.go serves, and
// reply.go, metrics.go, metadata.go and observe.go show a Resolution: to the client, to
// Prometheus, to other plugins, to trace and dnstap.
package clusterset

import (
	"context"
	"sync/atomic"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/dnstap"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/discovery"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver"
)

const pluginName = "clusterset"

var log = clog.NewWithPlugin(pluginName)

// Clusterset is the plugin in one server block.
type Clusterset struct {
	Next plugin.Handler

	zones    []string // normalized; reverse zones among them
	options  options
	resolver resolver.Resolver

	readiness readiness
	manager   *members.Manager
	feed      *discovery.Feed[discovery.Update]
	names     *discovery.Feed[string] // of the local cluster's name; nil with the option local, or without an API
	stop      func()                  // ends what start began; once

	addresses addresses // of this server
	served    served    // the domains that this server serves

	taps []*dnstap.Dnstap

	// server is one that this plugin is in, nil before the first query.
	server atomic.Pointer[dnsserver.Server]
	// generation is that of its Corefile, stopStatus ends the serving of its status, nil where it
	// isn't served.
	generation int64
	stopStatus func()
}

// Name implements plugin.Handler.
func (p *Clusterset) Name() string { return pluginName }

// remember keeps the server that a query came to, for what is looked up without one.
func (p *Clusterset) remember(ctx context.Context) {
	if server, ok := ctx.Value(dnsserver.Key{}).(*dnsserver.Server); ok {
		p.server.Store(server)
	}
}
