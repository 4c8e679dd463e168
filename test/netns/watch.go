//go:build e2e && linux

package netns

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// watch asks for one name again and again and remembers what went wrong.
type watch struct {
	name, server string
	times        []time.Duration
	wrong        []string
}

// watchAll asks c for the services of the clusters until stop, which says of
// each that it was answered every time, within bound. The last of them is asked
// straight, too: where something else is under way on the machine, a question to
// c may be late by what such a one is, for each of the two servers on its way.
func (c *cluster) watchAll(of []*cluster, bound time.Duration) (stop func(t testing.TB)) {
	var watches []*watch
	for _, target := range of {
		watches = append(watches, &watch{name: target.podinfo(), server: c.dnsAddress()})
	}
	straight := &watch{name: "podinfo.default.svc.cluster.local.", server: of[len(of)-1].dnsAddress()}
	done := make(chan struct{})
	var running sync.WaitGroup
	watches = append(watches, straight)
	for _, w := range watches {
		running.Go(func() { w.run(c, done) })
	}
	return func(t testing.TB) {
		t.Helper()
		close(done)
		running.Wait()
		bound := bound + 2*slices.Max(straight.times)
		for _, w := range watches {
			slowest := slices.Max(w.times)
			if len(w.wrong) > 0 || slowest > bound {
				t.Errorf("%s: of %d questions wrong: %q, the slowest answered after %v, want %v at most", w.name, len(w.times), w.wrong, slowest, bound)
			}
			t.Logf("meanwhile %s: %d answers, the slowest after %v", w.name, len(w.times), slowest.Round(10*time.Microsecond))
		}
	}
}

// run asks 50 times a second, over UDP and TCP in turn.
func (w *watch) run(from *cluster, done <-chan struct{}) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := from.askAt(w.server, question{name: w.name, qtype: dns.TypeA, tcp: len(w.times)%2 == 1})
		w.times = append(w.times, r.took)
		switch {
		case err != nil:
			w.wrong = append(w.wrong, err.Error())
		case r.Rcode != dns.RcodeSuccess || len(r.Answer) != 1:
			w.wrong = append(w.wrong, fmt.Sprintf("%s, %d records, %v", dns.RcodeToString[r.Rcode], len(r.Answer), r.reason()))
		}
		select {
		case <-done:
			return
		case <-tick.C:
		}
	}
}
