package renew

import (
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/credentials"
)

// TestDue: a token is due from the middle of its life, and one that doesn't say at once.
func TestDue(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name       string
		begin, end time.Time
		want       bool
	}{
		{"young", now.Add(-time.Hour), now.Add(2 * time.Hour), false},
		{"old", now.Add(-2 * time.Hour), now.Add(time.Hour), true},
		{"dead", now.Add(-2 * time.Hour), now.Add(-time.Hour), true},
		{"unknown", time.Time{}, time.Time{}, true},
	} {
		if due(credentials.Expiry{Begin: c.begin, End: c.end}) != c.want {
			t.Errorf("%s: have %v", c.name, !c.want)
		}
	}
}
