//go:build e2e && linux

package netns

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

const (
	// noticed and recovered are the man page's: a silent partition is noticed
	// within 10 seconds, and data are fresh within 5 of its end.
	noticed   = 10 * time.Second
	recovered = 5 * time.Second
)

// TestPartition drops what is sent to and from a member's API, without a word:
// the TCP connections stay open, and nobody tells that they are dead.
func TestPartition(t *testing.T) {
	n := newNetwork(t)
	from, to := n.clusters[0], n.clusters[1]
	a := to.startAPI(t)
	n.startDNS(t)
	for i, p := range []partition{
		{"both ways", []string{to.requests(), to.replies()}},
		{"requests", []string{to.requests()}},
		{"replies", []string{to.replies()}},
	} {
		t.Run(p.name, func(t *testing.T) { p.run(t, from, a, i) })
	}
}

// partition is what is dropped.
type partition struct {
	name    string
	packets []string
}

func (c *cluster) requests() string { return "ip daddr " + c.apiAddress() + " tcp dport 443" }
func (c *cluster) replies() string  { return "ip saddr " + c.apiAddress() + " tcp sport 443" }

func (p partition) run(t *testing.T, from *cluster, a *api, round int) {
	to := a.c
	gone, made := fmt.Sprintf("gone%d", round), fmt.Sprintf("made%d", round)
	a.create(t, gone, fmt.Sprintf("10.101.18.%d", round))
	from.awaitData(t, to, "fresh", recovered)
	from.awaitRecords(t, to, gone, recovered, fmt.Sprintf("10.101.18.%d", round))
	stop := from.watchAll([]*cluster{to, to.next()}, atOnce)

	to.dropAPI(t, p.packets)
	t.Logf("stale after %v", from.awaitData(t, to, "stale", noticed).Round(time.Millisecond))
	a.delete(t, gone)
	a.create(t, made, fmt.Sprintf("10.101.19.%d", round))
	forwarded := from.metric(t, forwardedBy(to))
	from.awaitRecords(t, to, "podinfo", atOnce, to.podinfoAddress())
	if from.metric(t, forwardedBy(to)) == forwarded {
		t.Error("the member's DNS isn't asked")
	}

	to.unfilter(t)
	back := time.Now()
	from.awaitData(t, to, "fresh", recovered)
	from.awaitRecords(t, to, gone, recovered-time.Since(back))
	from.awaitRecords(t, to, made, recovered-time.Since(back), fmt.Sprintf("10.101.19.%d", round))
	t.Logf("fresh after %v", time.Since(back).Round(time.Millisecond))
	stop(t)
}

func forwardedBy(c *cluster) string {
	return fmt.Sprintf(`coredns_clusterset_responses_total{cluster="%s",rcode="NOERROR",source="forward"}`, c.name)
}

// awaitData waits until the cluster's data about another are in the state, and
// gives how long that took.
func (c *cluster) awaitData(t *testing.T, of *cluster, state string, bound time.Duration) time.Duration {
	t.Helper()
	series := fmt.Sprintf(`coredns_clusterset_data_state{cluster="%s",state="%s"}`, of.name, state)
	return harness.Eventually(t, bound, "data "+state, func() error { return c.has(t, series, 1) })
}

// awaitRecords waits until the other cluster's service has these addresses; none
// is NXDOMAIN.
func (c *cluster) awaitRecords(t *testing.T, of *cluster, service string, bound time.Duration, addresses ...string) {
	t.Helper()
	name, rcode, want := service+".default.svc."+of.name+".lan.", dns.RcodeNameError, []string(nil)
	for _, address := range addresses {
		rcode, want = dns.RcodeSuccess, append(want, name+" A "+address)
	}
	harness.Eventually(t, bound, fmt.Sprintf("%s is %q", name, want), func() error {
		r, err := c.ask(question{name: name, qtype: dns.TypeA})
		if err == nil && (r.Rcode != rcode || !slices.Equal(r.records(), want)) {
			return fmt.Errorf("%s %q", dns.RcodeToString[r.Rcode], r.records())
		}
		return err
	})
}
