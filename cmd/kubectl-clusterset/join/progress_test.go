package join

import (
	"testing"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/objects"
)

// TestSummary: what was made is said first, and what stays as it was in one word.
func TestSummary(t *testing.T) {
	for _, c := range []struct {
		parts []part
		want  string
	}{
		{nil, ""},
		{[]part{{"reader", objects.Unchanged}, {"entry", objects.Unchanged}}, "unchanged"},
		{[]part{{"reader", objects.Created}, {"entry", objects.Created}}, "reader, entry created"},
		{
			[]part{{"reader", objects.Unchanged}, {"credential", objects.Created}, {"renewal", objects.Unchanged}, {"entry", objects.Changed}},
			"credential created; entry changed; reader, renewal unchanged",
		},
	} {
		if have := summary(c.parts); have != c.want {
			t.Errorf("%v: have %q, want %q", c.parts, have, c.want)
		}
	}
}
