//go:build e2e

package configmap

import (
	"fmt"
	"testing"
)

// Series of the plugin.
const (
	configGood   = "coredns_clusterset_config_last_load_successful"
	configErrors = "coredns_clusterset_config_errors_total"
	clusters     = "coredns_clusterset_clusters"
)

// upstreams is the series of the number of a member's upstreams in a state.
func upstreams(member, state string) string {
	return fmt.Sprintf(`coredns_clusterset_upstreams{cluster="%s",state="%s"}`, member, state)
}

// noFailures checks that an upstream of a member has failed no query.
func (s *server) noFailures(t *testing.T, member, upstream string) {
	t.Helper()
	none := make(map[string]float64)
	for _, reason := range []string{"no_reply", "unreachable", "bad_reply", "canceled"} {
		none[fmt.Sprintf(`coredns_clusterset_upstream_failures_total{cluster="%s",reason="%s",upstream="%s"}`, member, reason, upstream)] = 0
	}
	s.AwaitMetrics(t, seen, none)
}
