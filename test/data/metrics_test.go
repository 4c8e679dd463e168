//go:build e2e

package data

import (
	"fmt"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// States of a member's data.
const (
	fresh    = "fresh"
	old      = "stale"
	unsynced = "unsynced"
)

// state is the series of a member's data being in a state.
func state(member, state string) string {
	return fmt.Sprintf(`coredns_clusterset_data_state{cluster="%s",state="%s"}`, member, state)
}

// troubles is the series of a member's troubles for a reason, lists that of its
// lists.
func troubles(member, reason string) string {
	return fmt.Sprintf(`coredns_clusterset_api_troubles_total{cluster="%s",reason="%s"}`, member, reason)
}

func lists(member string) string {
	return fmt.Sprintf(`coredns_clusterset_api_lists_total{cluster="%s"}`, member)
}

// awaitState waits until the member's data are in the state and in no other, and
// gives how long it took.
func (s *server) awaitState(t *testing.T, limit time.Duration, member, want string) time.Duration {
	t.Helper()
	return harness.Eventually(t, limit, fmt.Sprintf("%s: data of %s %s", s.mode, member, want), func() error {
		series, err := s.Scrape()
		if err != nil {
			return err
		}
		for _, each := range []string{fresh, old, unsynced} {
			got, exists := series[state(member, each)]
			if !exists || (got == 1) != (each == want) {
				return fmt.Errorf("%s is %v (there: %v)", state(member, each), got, exists)
			}
		}
		return nil
	})
}

// awaitMore waits until a counter is more than it was.
func (s *server) awaitMore(t *testing.T, limit time.Duration, series string, than float64) time.Duration {
	t.Helper()
	return harness.Eventually(t, limit, s.mode+" "+series, func() error {
		if got := s.Metric(series); got <= than {
			return fmt.Errorf("%v, want more than %v", got, than)
		}
		return nil
	})
}
