package clusterset

import (
	"context"
	"strings"

	"github.com/coredns/coredns/plugin/metadata"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/members"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/question"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/resolver/services"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/selection"
)

// Metadata labels: README.md lists them.
const (
	labelCluster  = "clusterset/cluster"
	labelSource   = "clusterset/source"
	labelUpstream = "clusterset/upstream"
	labelPolicy   = "clusterset/policy"
	labelMembers  = "clusterset/members"
)

// setLabels sets the labels of a Resolution.
func setLabels(ctx context.Context, res *question.Resolution) {
	set := func(label, value string) {
		metadata.SetValueFunc(ctx, label, func() string { return value })
	}
	if res.Member != nil {
		set(labelCluster, res.Member.Name)
	}
	if res.Upstream != nil {
		set(labelUpstream, res.Upstream.String())
	}
	if res.Action != question.AskNext && res.Action != question.AskNextUncached {
		set(labelSource, res.Source.String())
	}
	if res.Chosen.Rule() != "" {
		setChosen(ctx, res.Chosen)
	}
}

// setChosen sets the labels of a name over the whole ClusterSet.
func setChosen(ctx context.Context, chosen services.Chosen) {
	metadata.SetValueFunc(ctx, labelPolicy, func() string { return string(chosen.Rule()) })
	metadata.SetValueFunc(ctx, labelMembers, func() string {
		var names []string
		chosen.Members(func(m *members.Member, _ selection.Reason) { names = append(names, m.Name) })
		return strings.Join(names, ",")
	})
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
