//go:build e2e

package oracle

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// comparison is of two servers, in one mode of ours.
type comparison struct {
	t            *testing.T
	mode         string
	theirs, ours *server
	exceptions   []exception
	// objects are the data that both answer from.
	objects objects
	// impatient leaves out what is forwarded and gets no reply: that takes all of
	// the plugin's own timeout, for each type.
	impatient bool

	mu sync.Mutex
	// needed counts how often each exception, by its name, was.
	needed map[string]int
}

func newComparison(t *testing.T, mode string, theirs, ours *server) *comparison {
	return &comparison{t: t, mode: mode, theirs: theirs, ours: ours, exceptions: exceptionsOf(mode), needed: map[string]int{}}
}

// silenceAfter is when kubernetes' silence is believed where the data tell of it.
const silenceAfter = 500 * time.Millisecond

// workers ask at the same time.
const workers = 4

// compare asks all the questions of both, in each of the ways, and fails the test
// for each difference.
func (c *comparison) compare(round int, questions []question, ways ...way) {
	c.t.Helper()
	for _, w := range ways {
		asked, differences := compareBy(w, questions, c)
		c.t.Logf("%s, round %d, %s: %d questions, %d differences", c.mode, round, w.name, asked, len(differences))
		for _, text := range report(differences) {
			c.t.Errorf("%s, round %d, %s: %s", c.mode, round, w.name, text)
		}
	}
}

// compareBy has several workers ask, each with its own connections. The comparisons
// are with one and the same server of theirs, which is asked once for all.
func compareBy(w way, questions []question, with ...*comparison) (asked int, differences []*deviation) {
	var group sync.WaitGroup
	parts := make([][]*deviation, workers)
	counts := make([]int, workers)
	for i := range workers {
		group.Go(func() {
			lines := newLines(w, with)
			defer lines.close()
			for n := i * w.every; n < len(questions); n += workers * w.every {
				counts[i]++
				parts[i] = append(parts[i], lines.ask(questions[n])...)
			}
		})
	}
	group.Wait()
	for _, n := range counts {
		asked += n
	}
	return asked, slices.Concat(parts...)
}

// lines are one worker's connections: to their server, and to ours of each
// comparison.
type lines struct {
	with   []*comparison
	theirs *line
	ours   []*line
}

func newLines(w way, with []*comparison) *lines {
	l := &lines{with: with, theirs: newLine(w, with[0].theirs)}
	for _, c := range with {
		l.ours = append(l.ours, newLine(w, c.ours))
	}
	return l
}

func (l *lines) close() {
	l.theirs.close()
	for _, ours := range l.ours {
		ours.close()
	}
}

// ask gives how the replies differ from theirs.
func (l *lines) ask(q question) []*deviation {
	var list []*deviation
	l.theirs.patience = harness.AskTimeout
	if q.qtype == dns.TypePTR && l.with[0].isSilent(q) {
		l.theirs.patience = silenceAfter
	}
	theirs := replyOf(l.theirs, q.theirName(), q.qtype)
	for i, c := range l.with {
		ours := l.ours[i]
		if c.impatient && c.mode == "forward" && c.isSilent(q) {
			continue
		}
		if d := c.difference(q, ours.way, theirs, replyOf(ours, q.ourName(), q.qtype)); d != nil {
			list = append(list, d)
		}
	}
	return list
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
