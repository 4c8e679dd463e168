package batch

import (
	"context"
	"slices"

	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/batch/turn"
)

// waiting are plugins that ask others over the network and don't say that they wait.
var waiting = []string{"forward", "grpc", "etcd", "nomad", "fanout"}

// withYields returns plugins with a handler before each of those that wait, so that they have
// no query behind them.
func withYields(plugins []plugin.Plugin) []plugin.Plugin {
	var all []plugin.Plugin
	for _, p := range plugins {
		all = append(all, yieldBefore, p)
	}
	return all
}

func yieldBefore(next plugin.Handler) plugin.Handler {
	if next != nil && slices.Contains(waiting, next.Name()) {
		return yields{next}
	}
	return next
}

// yields passes a query's batch on before the next plugin answers it.
type yields struct{ next plugin.Handler }

// ServeDNS implements plugin.Handler.
func (y yields) ServeDNS(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
	turn.Yield(ctx)
	return plugin.NextOrFailure(y.Name(), y.next, ctx, w, r)
}

// Name implements plugin.Handler.
func (yields) Name() string { return name }
