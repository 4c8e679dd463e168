//go:build e2e && linux

package netns

import (
	"fmt"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// faultNet is a network one of whose members has two servers, and a relay to the
// first.
type faultNet struct {
	asker, member *cluster
	first, second *coredns
	relay         *relay
	// others is the load on another member, straight the one past the asker.
	others, straight *load
}

func newFaultNet(t testing.TB) *faultNet {
	t.Helper()
	all := newClusters(t)
	n := &faultNet{asker: all[0], member: all[1], first: all[1].dns}
	n.others, n.straight = n.asker.load(all[2], 3, 1), n.asker.load(all[2], 2, 0)
	n.straight.server, n.straight.domain = all[2].dnsAddress(), "cluster.local."
	second, relay := fmt.Sprintf("10.%d.0.11", 100+n.member.index), fmt.Sprintf("10.%d.0.12", 100+n.member.index)
	for _, address := range []string{second, relay} {
		n.member.ns.ip(t, "address", "add", address+"/32", "dev", "lo")
	}
	n.second = n.member.newDNS(t, second, "127.0.0.1:9154")
	n.second.await(t)
	n.relay = n.member.startRelay(t, relay, n.first.address)
	return n
}

// as is the cluster under another name, with these upstreams: to the others, a
// member that nothing is known about.
func (c *cluster) as(name string, upstreams []string) *cluster {
	other := *c
	other.name, other.upstreams = name, upstreams
	return &other
}

// meet gives the cluster a ClusterSet with m in its place, and waits until it is
// in force there.
func (c *cluster) meet(t testing.TB, m *cluster) {
	t.Helper()
	c.network.clusters[m.index] = m
	c.dns.Write(documentFile, c.network.document())
	harness.Eventually(t, startTimeout, c.name+" knows "+m.name, func() error { return c.knows(m.name+".lan.", c.dnsAddress()) })
}

// awaitUpstreams waits until the cluster takes no more of the member's upstreams
// for up.
func (c *cluster) awaitUpstreams(t testing.TB, of *cluster, up int) {
	t.Helper()
	series := fmt.Sprintf(`coredns_clusterset_upstreams{cluster="%s",state="up"}`, of.name)
	tick := time.NewTicker(50 * time.Millisecond) // to read all metrics costs more than an answer
	defer tick.Stop()
	for start := time.Now(); c.metric(t, series) > float64(up); <-tick.C {
		if time.Since(start) > knownDown {
			t.Errorf("not within %v: %s has %d upstreams up", knownDown, of.name, up)
			return
		}
	}
}
