//go:build e2e && linux

package netns

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// watch asks for one name again and again and remembers what went wrong.
type watch struct {
	asked   int
	slowest time.Duration
	wrong   []string
}

// watchAll asks c for the services of the clusters until stop, which says of
// each that it was answered every time, within bound.
func (c *cluster) watchAll(of []*cluster, bound time.Duration) (stop func(t testing.TB)) {
	watches := make([]watch, len(of))
	done := make(chan struct{})
	var running sync.WaitGroup
	for i, target := range of {
		running.Go(func() { watches[i].run(c, target, bound, done) })
	}
	return func(t testing.TB) {
		t.Helper()
		close(done)
		running.Wait()
		for i, w := range watches {
			if w.asked == 0 || len(w.wrong) > 0 {
				t.Errorf("%s: of %d questions wrong: %q", of[i].name, w.asked, w.wrong)
			}
			t.Logf("meanwhile %s: %d answers, the slowest after %v", of[i].name, w.asked, w.slowest.Round(10*time.Microsecond))
		}
	}
}

// run asks for target's service, 50 times a second, over UDP and TCP in turn.
func (w *watch) run(from, target *cluster, bound time.Duration, done <-chan struct{}) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := from.ask(question{name: target.podinfo(), qtype: dns.TypeA, tcp: w.asked%2 == 1})
		w.asked++
		w.slowest = max(w.slowest, r.took)
		switch {
		case err != nil:
			w.wrong = append(w.wrong, err.Error())
		case r.Rcode != dns.RcodeSuccess || len(r.Answer) != 1:
			w.wrong = append(w.wrong, fmt.Sprintf("%s, %d records, %v", dns.RcodeToString[r.Rcode], len(r.Answer), r.reason()))
		case r.took > bound:
			w.wrong = append(w.wrong, fmt.Sprintf("answered after %v", r.took))
		}
		select {
		case <-done:
			return
		case <-tick.C:
		}
	}
}
