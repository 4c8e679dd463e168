package backoff

import (
	"testing"
	"time"
)

// TestGrowing: pauses double up to the most, and begin anew when something succeeds.
func TestGrowing(t *testing.T) {
	g := Growing{Least: time.Second, Most: 5 * time.Second}
	for _, want := range []time.Duration{1, 2, 4, 5, 5, 0, 1, 2} {
		if want == 0 {
			g.Reset()
			continue
		}
		want *= time.Second
		if got := g.Next(); got < want*4/5 || got > want*6/5 {
			t.Errorf("%v, want about %v", got, want)
		}
	}
}
