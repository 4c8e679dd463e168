package main

import (
	"slices"
	"strings"
	"testing"
)

var works = []work{forwarded, cached, fromData, oversetOf3, oversetOf50}

// A goal of a row that isn't there, or of plugins that are never around it, would be left
// out without a word.
func TestGoalsAreOfRows(t *testing.T) {
	for _, w := range works {
		table := w.around(nothing, settings{batch: true, unbound: true})
		for _, g := range w.goals {
			for _, row := range []string{g.of, g.beside} {
				if !table.has(row) {
					t.Errorf("%s: no row is named %q", w.title, row)
				}
			}
			if g.around != "" && !slices.Contains(slices.Concat(defaultArounds, w.more), g.around) {
				t.Errorf("%s: it isn't measured with %q around", w.title, g.around)
			}
		}
	}
}

func TestBatchIsBesideTheSame(t *testing.T) {
	table := fromData.around("errors, prometheus", settings{batch: true, before: "before"})
	found := 0
	for i, c := range table.contenders {
		if !c.batch {
			continue
		}
		found++
		// Between them there may be the binary of before.
		same := slices.IndexFunc(table.contenders, func(other contender) bool { return other.name == c.without() })
		if same < i-2 || same >= i {
			t.Errorf("%s is row %d, the same without is row %d", c.name, i, same)
		}
		without := strings.Replace(c.corefile(), "    batch\n", "", 1)
		if want := table.contenders[same].corefile(); without != want || c.corefile() == want {
			t.Errorf("%s is\n%s\nwant batch and nothing else in\n%s", c.name, c.corefile(), want)
		}
	}
	if found != 3 {
		t.Errorf("%d rows have batch, want whoami, kubernetes and clusterset", found)
	}
}

func TestWhatIsMissingIsLeftOut(t *testing.T) {
	table := cached.around(nothing, settings{})
	for _, c := range table.contenders {
		if c.batch || c.before || c.name == unbound {
			t.Errorf("there is a row %q", c.name)
		}
	}
	if want := []string{whoami, cacheForward}; !slices.Equal(table.peers, want) {
		t.Errorf("the peers are %q, want %q", table.peers, want)
	}
}

func TestVerdictIsAboutWhatIsShown(t *testing.T) {
	for seen, want := range map[float64]string{0.47: "holds", 0.50: "holds", 0.504: "holds", 0.51: "missed"} {
		if got := verdict(seen, 0.50); got != want {
			t.Errorf("%v of 0.50 %s, want %s", seen, got, want)
		}
	}
}

func TestMedian(t *testing.T) {
	for want, values := range map[float64][]float64{1: {1}, 1.5: {2, 1}, 2: {3, 1, 2}, 2.5: {4, 1, 3, 2}} {
		if got := median(values); got != want {
			t.Errorf("of %v it is %v, want %v", values, got, want)
		}
	}
}
