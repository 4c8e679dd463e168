package clusterset

import "github.com/coredns/coredns/plugin/metadata"

// Metadata labels: README.md lists them.
const (
	ctxCluster  = "clusterset/cluster"
	ctxSource   = "clusterset/source"
	ctxUpstream = "clusterset/upstream"
)

// label sets a metadata label, where the metadata plugin is used.
func (q *ask) label(name, value string) {
	metadata.SetValueFunc(q.ctx, name, func() string { return value })
}
