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

// hasMetadata tells whether the metadata plugin is used, so that a query costs
// nothing for labels that nobody reads.
func hasMetadata(ctx context.Context) bool { return metadata.ValueFuncs(ctx) != nil }
