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

// noFailures checks that no attempt at a member's upstreams failed.
func (s *server) noFailures(t *testing.T, member string) {
	t.Helper()
	for _, reason := range []string{"no_reply", "unreachable", "bad_reply", "canceled"} {
		name := `coredns_clusterset_upstream_failures_total{cluster="` + member + `",reason="` + reason + `"}`
		if n := s.Metric(name); n != 0 {
			t.Errorf("%s: %v, want 0", name, n)
		}
	}
}
