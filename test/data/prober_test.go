//go:build e2e

package data

import (
	"testing"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// probeAll asks every server for who of the member. Wherever the answer is from,
// there has to be one, and fresh is whether it has to be from fresh data.
func probeAll(servers []*server, c *cluster, fresh bool) (end func(*testing.T)) {
	var all []*harness.Prober
	for _, s := range servers {
		replies := []string{fromData(c.ip(1))}
		switch {
		case fresh:
		case s.mode == auto:
			replies = append(replies, fromDNS(c.forwardedIP()))
		default:
			replies = append(replies, stale(c.ip(1)))
		}
		all = append(all, s.Probe(name(who, c.name), replies...))
	}
	return func(t *testing.T) {
		t.Helper()
		for i, p := range all {
			p.End(t)
			t.Logf("%s: %d answers for %s, the slowest after %v", servers[i].mode, p.Looked, c.name, p.Slowest)
		}
	}
}
