//go:build e2e

package data

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// outage is a way to lose a member's API and to get it back.
type outage struct {
	name       string
	begin, end func()
	// writable: others than the servers still reach the API.
	writable bool
	reasons  []string // it counts as trouble for one of these
}

// counted is how often the outage's trouble has been counted.
func (o outage) counted(s *server, member string) (n float64) {
	for _, reason := range o.reasons {
		n += s.Metric(troubles(member, reason))
	}
	return n
}

// TestOutages: while a member's API is away its names are answered, and what
// changed meanwhile is seen when it is back. Nobody else notices. c1's API is lost
// itself, c2's is cut off.
func TestOutages(t *testing.T) {
	clusters := startClusters(t, 2)
	c1, c2 := clusters[0], clusters[1]
	relay, kubeconfig := harness.StartRelay(t, c2.up, c2.name)
	path := filepath.Join(t.TempDir(), "kubeconfig")
	harness.WriteFile(t, path, kubeconfig)
	servers := startBoth(t, entries(c1)[0], c2.withFile(path))
	for _, s := range servers {
		for _, c := range clusters {
			s.Await(t, settled, name(pods, c.name), fromData(c.podIP()))
		}
	}
	up, unreachable, timeout := c1.up, []string{"unreachable"}, []string{"timeout"}
	for i, o := range []outage{
		{"restarted", func() { up.Stop("c1") }, func() { up.Start("c1") }, false, unreachable},
		{"frozen", func() { up.Pause("c1") }, func() { up.Resume("c1") }, false, timeout},
		{"silent", relay.Silence, relay.Resume, true, timeout},
		{"refusing", relay.Stop, func() { relay.Reopen(t) }, true, unreachable},
		// client-go asks again where a connection ends without a reply, until the
		// time for the reply is over.
		{"hanging up", func() { relay.HangUp(true) }, func() { relay.HangUp(false) }, true, append(unreachable, timeout...)},
	} {
		lost, other := c1, c2
		if o.writable {
			lost, other = c2, c1
		}
		t.Run(o.name, func(t *testing.T) { o.run(t, servers, lost, other, i) })
	}
}

func (o outage) run(t *testing.T, servers []*server, lost, other *cluster, round int) {
	gone, made := fmt.Sprintf("gone%d", round), fmt.Sprintf("made%d", round)
	lost.addService(gone, 10+round)
	before := make(map[*server]float64)
	for _, s := range servers {
		s.Await(t, recovered, name(gone, lost.name), fromData(lost.ip(10+round)))
		before[s] = o.counted(s, lost.name)
	}
	change := func() {
		lost.deleteService(gone)
		lost.addService(made, 20+round)
	}
	served, others := probeAll(servers, lost, false), probeAll(servers, other, true)

	o.begin()
	cut := time.Now()
	for _, s := range servers {
		s.awaitState(t, noticed-time.Since(cut), lost.name, old)
		t.Logf("%s: stale after %v", s.mode, time.Since(cut))
		s.withoutAPI(t, lost, gone)
		harness.Eventually(t, noticed-time.Since(cut), s.mode+" trouble", func() error {
			if n := o.counted(s, lost.name) - before[s]; n != 1 {
				return fmt.Errorf("%v for %q counted, want one", n, o.reasons)
			}
			return nil
		})
		t.Logf("%s: told after %v", s.mode, time.Since(cut))
	}
	if o.writable {
		change()
	}
	o.end()
	back := time.Now()
	if !o.writable {
		change()
	}
	for _, s := range servers {
		s.awaitState(t, recovered-time.Since(back), lost.name, fresh)
		s.Await(t, recovered-time.Since(back), name(gone, lost.name), missing)
		s.Await(t, recovered-time.Since(back), name(made, lost.name), fromData(lost.ip(20+round)))
		t.Logf("%s: fresh after %v", s.mode, time.Since(back))
		s.Want(t, name(pods, lost.name), fromData(lost.podIP()))
		if n := o.counted(s, lost.name) - before[s]; n != 1 {
			t.Errorf("%s: %v troubles for %q counted at the end, want one", s.mode, n, o.reasons)
		}
	}
	served(t)
	others(t)
}

// withoutAPI checks what is answered from data that nothing proves true: those
// that the API had last, or the member's DNS. They never prove that there isn't
// something.
func (s *server) withoutAPI(t *testing.T, c *cluster, service string) {
	t.Helper()
	wants, source := map[string]string{
		name(who, c.name):     stale(c.ip(1)),
		name(pods, c.name):    stale(c.podIP()),
		name(nowhere, c.name): unknown,
	}, "stale"
	if s.mode == auto {
		wants, source = map[string]string{
			name(who, c.name):     fromDNS(c.forwardedIP()),
			name(service, c.name): missing, // the DNS is asked, which doesn't know it
			name(nowhere, c.name): missing,
		}, "forward"
	}
	answered := s.Metric(harness.Responses(c.name, "NOERROR", source))
	for name, reply := range wants {
		s.Want(t, name, reply)
	}
	s.awaitMore(t, 0, harness.Responses(c.name, "NOERROR", source), answered)
}

// TestExpired: data that nothing has proved true for longer than serve_stale are
// not answered with.
func TestExpired(t *testing.T) {
	c1 := startClusters(t, 1)[0]
	const allowed = 3 * time.Second
	s := newServer(t, resolve, fmt.Sprintf("file %s\n        serve_stale %v", setFile, allowed), document(entries(c1)...))
	s.awaitReady(t, harness.StartLimit)
	s.Await(t, seen, name(who, "c1"), fromData(c1.ip(1)))
	c1.up.Stop("c1")
	stopped := time.Now()
	s.Await(t, noticed, name(who, "c1"), stale(c1.ip(1)))
	s.Await(t, allowed+seen-time.Since(stopped), name(who, "c1"), unknown)
	t.Logf("not answered %v after the API's end", time.Since(stopped))
	s.awaitState(t, 0, "c1", old)
	c1.up.Start("c1")
	s.Await(t, recovered, name(who, "c1"), fromData(c1.ip(1)))
}
