//go:build e2e && linux

package netns

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

const (
	// pluginTimeout is the plugin's default for a whole query.
	pluginTimeout = 2 * time.Second
	// slack is for a machine that does something else meanwhile.
	slack = time.Second
	// atOnce is an answer that waited for nobody, not for as long as a query may take;
	// promptly is it where a fault is tried again.
	atOnce, promptly = time.Second, 100 * time.Millisecond
	// knownDown bounds the time until a member is known to be down: a packet
	// sent again after 0.5 s raises the suspicion, two probes of 1 s with a pause
	// settle it; 1.5 s more pass when the member has just been suspected before.
	knownDown = 5 * time.Second
	// impatient is how long a client waits that doesn't want the answer.
	impatient = 50 * time.Millisecond
	// backAgain is within which a member that is back is answered again.
	backAgain = 2 * time.Second
)

// outage is a way to lose the members whose names are down, and to get them
// back.
type outage struct {
	name       string
	begin, end func(testing.TB)
	down, up   []*cluster
	// told and toldTCP are set where the first question is told at once that
	// nobody is there: TCP takes an ICMP error for passing trouble of the
	// connection that it has, and only a reset ends it.
	told, toldTCP bool
}

func TestOutages(t *testing.T) {
	all := newClusters(t)
	one, others := all[1:2], []*cluster{all[0], all[2]}
	for _, o := range []outage{
		{name: "link down", begin: all[1].unplug, end: all[1].plug, down: one, up: others},
		{name: "black hole", begin: all[1].blackHole, end: all[1].unfilter, down: one, up: others},
		{name: "forbidden", begin: all[1].forbid, end: all[1].unfilter, down: one, up: others, told: true},
		{name: "own link down", begin: all[0].unplugUplink, end: all[0].plugUplink, down: all[1:], up: all[:1], told: true},
		{name: "frozen", begin: func(testing.TB) { all[1].dns.Freeze() }, end: func(testing.TB) { all[1].dns.Thaw() }, down: one, up: others},
		{name: "killed", begin: func(testing.TB) { all[1].dns.Kill() }, end: all[1].dns.restart, down: one, up: others, told: true, toldTCP: true},
	} {
		t.Run(o.name, func(t *testing.T) { o.run(t, all[0]) })
	}
}

func (o outage) run(t *testing.T, from *cluster) {
	for _, c := range slices.Concat(o.down, o.up) {
		from.awaitAnswer(t, c)
	}
	stop := from.watchAll(o.up, atOnce)
	o.begin(t)
	start := time.Now()
	o.firstQuestions(t, from)
	for _, c := range o.down {
		from.awaitDown(t, c)
		t.Logf("%s known to be down after %v", c.name, time.Since(start).Round(time.Millisecond))
		o.knownQuestions(t, from, c)
	}
	o.end(t)
	mended := time.Now()
	for _, c := range o.down {
		from.awaitAnswer(t, c)
		took := time.Since(mended)
		t.Logf("%s answered again after %v", c.name, took.Round(time.Millisecond))
		if took > backAgain+slack {
			t.Errorf("%s answered again after %v, want at most %v", c.name, took, backAgain)
		}
	}
	stop(t)
}

// firstQuestions are asked while nobody knows yet: of every member that is down
// and of one of its services each, over UDP and TCP, at the same time.
func (o outage) firstQuestions(t *testing.T, from *cluster) {
	t.Helper()
	var asking sync.WaitGroup
	for _, c := range o.down {
		for tcp, told := range map[bool]bool{false: o.told, true: o.toldTCP} {
			bound := pluginTimeout + slack
			if told {
				bound = atOnce
			}
			asking.Go(func() {
				r := from.failing(t, question{name: c.podinfo(), qtype: dns.TypeA, tcp: tcp}, bound)
				t.Logf("%s, tcp %v: first failed after %v: %v", c.name, tcp, r.took.Round(time.Millisecond), r.reason())
			})
		}
	}
	asking.Wait()
}

// knownQuestions are asked when the member is known to be down.
func (o outage) knownQuestions(t *testing.T, from, of *cluster) {
	t.Helper()
	var slowest time.Duration
	for range 20 {
		for _, tcp := range []bool{false, true} {
			r := from.failing(t, question{name: of.podinfo(), qtype: dns.TypeA, tcp: tcp}, atOnce)
			slowest = max(slowest, r.took)
		}
	}
	t.Logf("%s: then the slowest of 40 failed after %v", of.name, slowest.Round(10*time.Microsecond))
}

// awaitDown waits until the cluster knows that the member is down, while clients
// go on asking: their questions are what makes it look.
func (c *cluster) awaitDown(t *testing.T, of *cluster) {
	t.Helper()
	series := fmt.Sprintf(`coredns_clusterset_upstreams{cluster="%s",state="down"}`, of.name)
	harness.Eventually(t, knownDown+slack, of.name+" is known to be down", func() error {
		_, _ = c.ask(question{name: of.podinfo(), qtype: dns.TypeA, timeout: impatient})
		return c.has(t, series, 1)
	})
}

// failing asks a question that must fail within bound, for a reason that names
// the member: EDE 22 or 23. Several may be asked at the same time.
func (c *cluster) failing(t *testing.T, q question, bound time.Duration) reply {
	t.Helper()
	r, err := c.ask(q)
	if err != nil {
		t.Errorf("%s, tcp %v: %v", q.name, q.tcp, err)
		return reply{Msg: new(dns.Msg)}
	}
	ede := r.reason()
	if r.Rcode != dns.RcodeServerFailure || ede == nil || !aboutMember(ede, q.name) {
		t.Errorf("%s, tcp %v: %s, %v; want SERVFAIL, EDE 22 or 23 with the member", q.name, q.tcp, dns.RcodeToString[r.Rcode], ede)
		return r
	}
	if r.took > bound {
		t.Errorf("%s, tcp %v: failed after %v, want at most %v: %v", q.name, q.tcp, r.took, bound, ede)
	}
	return r
}

// aboutMember tells whether the reason is one of those that a name whose member
// can't be reached gets, and names the member.
func aboutMember(ede *dns.EDNS0_EDE, name string) bool {
	labels := dns.SplitDomainName(name)
	unreachable := ede.InfoCode == dns.ExtendedErrorCodeNoReachableAuthority || ede.InfoCode == dns.ExtendedErrorCodeNetworkError
	return unreachable && strings.Contains(ede.ExtraText, labels[len(labels)-2])
}

// awaitAnswer asks for the member's service until it is answered, over UDP and
// TCP.
func (c *cluster) awaitAnswer(t testing.TB, of *cluster) {
	t.Helper()
	for _, tcp := range []bool{false, true} {
		harness.Eventually(t, startTimeout, of.podinfo()+" is answered", func() error {
			r, err := c.ask(question{name: of.podinfo(), qtype: dns.TypeA, tcp: tcp})
			if err == nil && (r.Rcode != dns.RcodeSuccess || len(r.Answer) != 1) {
				return fmt.Errorf("%s, %d records", dns.RcodeToString[r.Rcode], len(r.Answer))
			}
			return err
		})
	}
}

// TestAliasOfLostMember asks for an ExternalName of the local cluster that leads
// to a member which is gone: a query's time is that of all its look-ups.
func TestAliasOfLostMember(t *testing.T) {
	clusters := newClusters(t)
	alias := question{name: "elsewhere.default.svc.cluster0.lan.", qtype: dns.TypeA}
	if r := clusters[0].mustAsk(t, alias); len(r.Answer) != 2 {
		t.Fatalf("before: %q", r.records())
	}
	clusters[1].blackHole(t)
	r := clusters[0].mustAsk(t, alias)
	if r.Rcode != dns.RcodeServerFailure || r.took > pluginTimeout+slack {
		t.Errorf("%s after %v, want SERVFAIL within %v", dns.RcodeToString[r.Rcode], r.took, pluginTimeout)
	}
}
