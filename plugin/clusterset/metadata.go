package clusterset

import (
	"context"

	"github.com/coredns/coredns/plugin/metadata"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver"
)

// Metadata labels: README.md lists them.
const (
	labelCluster  = "clusterset/cluster"
	labelSource   = "clusterset/source"
	labelUpstream = "clusterset/upstream"
)

// setLabels sets the labels of a Resolution.
func setLabels(ctx context.Context, res *resolver.Resolution) {
	set := func(label, value string) {
		metadata.SetValueFunc(ctx, label, func() string { return value })
	}
	if res.Member != nil {
		set(labelCluster, res.Member.Name)
	}
	if res.Upstream != nil {
		set(labelUpstream, res.Upstream.String())
	}
	if res.Action != resolver.AskNext && res.Action != resolver.AskNextUncached {
		set(labelSource, res.Source.String())
	}
}

// withOwnLabels returns the context of a look-up for a member, which may go on when its query is
// over: its labels are no longer the query's then, whose map isn't for two at a time.
func withOwnLabels(ctx context.Context, m *members.Member) context.Context {
	labels := metadata.ValueFuncs(ctx)
	if labels == nil {
		return ctx
	}
	own := metadata.ContextWithMetadata(ctx)
	for label, value := range labels {
		metadata.SetValueFunc(own, label, value)
	}
	if m != nil {
		metadata.SetValueFunc(own, labelCluster, func() string { return m.Name })
	}
	return own
}
