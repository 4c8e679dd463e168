package clusterset

import (
	"context"

	"github.com/coredns/coredns/plugin/metadata"
)

// Metadata labels: README.md lists them.
const (
	ctxCluster  = "clusterset/cluster"
	ctxSource   = "clusterset/source"
	ctxUpstream = "clusterset/upstream"
)

// label sets a metadata label, where the metadata plugin is used.
func (q *ask) label(name, value string) {
	if q.labeled {
		metadata.SetValueFunc(q.ctx, name, func() string { return value })
	}
}

// apart is the query's context for a look-up of its own, which may go on when the query
// is over: its labels are no longer the query's then, whose map isn't for two at a time.
func (q *ask) apart() context.Context {
	labels := metadata.ValueFuncs(q.ctx)
	if labels == nil {
		return q.ctx
	}
	ctx := metadata.ContextWithMetadata(q.ctx)
	for label, value := range labels {
		metadata.SetValueFunc(ctx, label, value)
	}
	return ctx
}

// hasMetadata tells whether the metadata plugin is used, so that a query costs
// nothing for labels that nobody reads.
func hasMetadata(ctx context.Context) bool { return metadata.ValueFuncs(ctx) != nil }
