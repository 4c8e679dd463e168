//go:build e2e

package oracle

import (
	"slices"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// comparison is of two servers, in one mode of ours.
type comparison struct {
	t            *testing.T
	mode         string
	theirs, ours *server
	exceptions   []exception
	// objects are the data that both answer from.
	objects objects

	mu sync.Mutex
	// needed counts how often each exception, by its name, was.
	needed map[string]int
}

func newComparison(t *testing.T, mode string, theirs, ours *server) *comparison {
	return &comparison{t: t, mode: mode, theirs: theirs, ours: ours, exceptions: exceptionsOf(mode), needed: map[string]int{}}
}

// workers ask at the same time.
const workers = 4

// compare asks all the questions of both, in each of the ways, and fails the test
// for each difference.
func (c *comparison) compare(round int, questions []question, ways ...way) {
	c.t.Helper()
	for _, w := range ways {
		asked, differences := c.compareBy(w, questions)
		c.t.Logf("%s, round %d, %s: %d questions, %d differences", c.mode, round, w.name, asked, len(differences))
		for _, text := range report(differences) {
			c.t.Errorf("%s, round %d, %s: %s", c.mode, round, w.name, text)
		}
	}
}

// compareBy has several workers ask, each with its own connections.
func (c *comparison) compareBy(w way, questions []question) (asked int, differences []*deviation) {
	var group sync.WaitGroup
	parts := make([][]*deviation, workers)
	counts := make([]int, workers)
	for i := range workers {
		group.Go(func() {
			theirs, ours := &line{way: w, addr: c.theirs.addr}, &line{way: w, addr: c.ours.addr}
			defer theirs.close()
			defer ours.close()
			for n := i * w.every; n < len(questions); n += workers * w.every {
				counts[i]++
				if d := c.ask(questions[n], theirs, ours); d != nil {
					parts[i] = append(parts[i], d)
				}
			}
		})
	}
	group.Wait()
	for _, n := range counts {
		asked += n
	}
	return asked, slices.Concat(parts...)
}

// ask gives how the replies differ, or nil.
func (c *comparison) ask(q question, theirs, ours *line) *deviation {
	return c.difference(q, ours.way, replyOf(theirs, q.theirName(), q.qtype), replyOf(ours, q.ourName(), q.qtype))
}

// difference gives how our reply differs from theirs, but for what an exception
// wants to differ, or nil. Each exception says what the reply is instead, so that
// it lets nothing else pass.
func (c *comparison) difference(q question, w way, theirs, ours *dns.Msg) *deviation {
	d := &deviation{comparison: c, question: q, way: w, want: q.renamed(theirs), got: ours}
	got := text(ours)
	if text(d.want) == got {
		return nil
	}
	for _, e := range c.exceptions {
		before := text(d.want)
		e.adjust(d)
		after := text(d.want)
		if after == before {
			continue
		}
		d.tried = append(d.tried, e.name)
		if after == got {
			c.count(d.tried)
			return nil
		}
	}
	return d
}

func (c *comparison) count(names []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		c.needed[name]++
	}
}

// reportStale fails the test for exceptions that weren't needed: what they
// excuse is gone, or isn't asked for any more.
func (c *comparison) reportStale() {
	c.t.Helper()
	for _, e := range c.exceptions {
		c.t.Logf("%s, exception %q: %d times", c.mode, e.name, c.needed[e.name])
	}
	for _, name := range c.stale() {
		c.t.Errorf("%s, exception %q was never needed: take it out", c.mode, name)
	}
}

func (c *comparison) stale() []string {
	var names []string
	for _, e := range c.exceptions {
		if c.needed[e.name] == 0 {
			names = append(names, e.name)
		}
	}
	return names
}
