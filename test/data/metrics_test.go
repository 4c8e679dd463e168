//go:build e2e

package data

import (
	"bufio"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
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

// responses is the series of the replies about a member's names.
func responses(member, rcode, source string) string {
	return fmt.Sprintf(`coredns_clusterset_responses_total{cluster="%s",rcode="%s",source="%s"}`, member, rcode, source)
}

// scrape reads all series: "name{labels}" with the labels in their order.
func (s *server) scrape() (map[string]float64, error) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(s.metrics)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	series := make(map[string]float64)
	scanner := bufio.NewScanner(response.Body)
	for scanner.Scan() {
		line := scanner.Text()
		at := strings.LastIndexByte(line, ' ')
		if strings.HasPrefix(line, "#") || at < 0 {
			continue
		}
		if series[line[:at]], err = strconv.ParseFloat(line[at+1:], 64); err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
	}
	return series, scanner.Err()
}

// metric is a series' value, 0 for one that isn't there: a counter appears when
// it counts first.
func (s *server) metric(name string) float64 {
	s.t.Helper()
	series, err := s.scrape()
	if err != nil {
		s.t.Fatal(err)
	}
	return series[name]
}

// awaitState waits until the member's data are in the state and in no other, and
// gives how long it took.
func (s *server) awaitState(t *testing.T, limit time.Duration, member, want string) time.Duration {
	t.Helper()
	return eventually(t, limit, fmt.Sprintf("%s: data of %s %s", s.mode, member, want), func() error {
		series, err := s.scrape()
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
	return eventually(t, limit, s.mode+" "+series, func() error {
		if got := s.metric(series); got <= than {
			return fmt.Errorf("%v, want more than %v", got, than)
		}
		return nil
	})
}

// seriesOf are the series that a member has.
func (s *server) seriesOf(member string) []string {
	s.t.Helper()
	all, err := s.scrape()
	if err != nil {
		s.t.Fatal(err)
	}
	var found []string
	for name := range all {
		if strings.Contains(name, fmt.Sprintf(`cluster="%s"`, member)) {
			found = append(found, name)
		}
	}
	return found
}

// awaitNoSeries waits until a member that left has no series any more.
func (s *server) awaitNoSeries(t *testing.T, member string) {
	t.Helper()
	eventually(t, drained, s.mode+": series of "+member, func() error {
		if left := s.seriesOf(member); len(left) > 0 {
			return fmt.Errorf("still there: %q", left)
		}
		return nil
	})
}
