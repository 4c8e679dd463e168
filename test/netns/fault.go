//go:build e2e && linux

package netns

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

const (
	// usual is for how long a member is asked: some hundred questions.
	usual = 700 * time.Millisecond
	// tries are for a machine that does something else meanwhile: with four
	// compilers on two cores, one server alone has been held up for 600 ms. What is
	// late for another reason is late each time.
	tries = 3
)

// fault is something that is wrong with a member, or with the first of its two
// upstreams, while it is asked.
type fault struct {
	name      string
	upstreams []string
	begin     injection
	// known is set where it takes the upstream down: the member is asked until
	// that is known, and once more.
	known bool
	// lasts is for how long it is asked at the least; 0 is the usual.
	lasts time.Duration
	// udp and tcp say what is wrong with an answer; nil: it isn't asked over that.
	udp, tcp expectation
	// all says what is wrong with all of them together; nil: nothing.
	all func(outcome) error
	// dropped is set where replies must have been counted as dropped.
	dropped bool
	// clients ask over UDP, one question each pace; 0 is the usual.
	clients int
	pace    time.Duration
}

// run tries the fault, again where nothing was wrong but the noise may be to blame
// for.
func (f fault) run(t *testing.T, n *faultNet, name string) {
	for try := 1; ; try++ {
		// What is known of a member is known by its name.
		wrong := f.try(t, n, fmt.Sprintf("%s-%d", name, try))
		if len(wrong) == 0 {
			return
		}
		slices.SortStableFunc(wrong, gravestFirst)
		if isLate(wrong[0]) && try < tries {
			t.Logf("try %d: %d times late, at first: %v", try, len(wrong), wrong[0])
			continue
		}
		t.Errorf("%d times wrong, first:", len(wrong))
		for _, err := range wrong[:min(5, len(wrong))] {
			t.Error(err)
		}
		return
	}
}

// try asks the member before the fault and with it, and the other one all along,
// and says what was wrong.
func (f fault) try(t *testing.T, n *faultNet, name string) (wrong []error) {
	m := n.member.as(name, f.upstreams)
	n.asker.meet(t, m)
	l := f.loads(n, m)
	l.run(t, func() { n.last(t, usual/4) }) // opens what is kept open
	quietly := func() { n.last(t, usual) }
	before := l.run(t, quietly).log(t, "before")

	var begun time.Time
	end := func() {}
	defer func() { end() }()
	during := l.run(t, func() {
		end = f.begin(t)
		begun = time.Now()
		if f.known {
			n.asker.awaitUpstreams(t, m, len(f.upstreams)-1)
			t.Logf("known after %v", time.Since(begun).Round(time.Millisecond))
		}
		n.last(t, time.Until(begun.Add(cmp.Or(f.lasts, usual))))
	}).log(t, "during")

	wrong = slices.Concat(
		before.member.check("before", right(pluginTimeout)),
		f.check(during, begun),
		during.other.check("other", right(pluginTimeout)),
		during.asFast("other", during.other.p99(), before.other.p99()),
	)
	if f.dropped && n.asker.sum(t, fmt.Sprintf(`coredns_clusterset_dropped_replies_total{cluster="%s"`, name)) == 0 {
		wrong = append(wrong, errors.New("no reply was counted as dropped"))
	}
	if f.known {
		known := l.run(t, quietly).log(t, "known")
		wrong = slices.Concat(wrong,
			known.member.check("known", right(pluginTimeout)),
			known.asFast("known", known.member.p99(), before.member.p99()),
		)
	}
	return wrong
}

// last has the clients ask that long. The asker's DNS has to run.
func (n *faultNet) last(t *testing.T, during time.Duration) {
	t.Helper()
	harness.Throughout(t, during, "the asker's DNS", func() error {
		n.asker.dns.Running()
		return nil
	})
}

// check is about the member's answers. Where the fault hadn't wholly begun when
// the question was asked, the right answer is right in any case.
func (f fault) check(during outcome, begun time.Time) (wrong []error) {
	fair := func(e expectation) expectation {
		early := either(right(withinTimeout), e)
		return func(a answer) error {
			if a.at.Before(begun) {
				return early(a)
			}
			return e(a)
		}
	}
	wrong = during.member.over(false).check("during", fair(f.udp))
	if f.tcp != nil {
		wrong = append(wrong, during.member.over(true).check("during", fair(f.tcp))...)
	}
	if f.all != nil {
		if err := f.all(during); err != nil {
			wrong = append(wrong, fmt.Errorf("during: %w", err))
		}
	}
	return wrong
}
