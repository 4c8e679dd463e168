//go:build e2e

package configmap

import (
	"bufio"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Series of the plugin.
const (
	configGood   = "coredns_clusterset_config_last_load_successful"
	configErrors = "coredns_clusterset_config_errors_total"
	clusters     = "coredns_clusterset_clusters"
)

// replies is the series of the replies about a member's names.
func replies(member, rcode, source string) string {
	return fmt.Sprintf(`coredns_clusterset_responses_total{cluster="%s",rcode="%s",source="%s"}`, member, rcode, source)
}

// upstreams is the series of the number of a member's upstreams in a state.
func upstreams(member, state string) string {
	return fmt.Sprintf(`coredns_clusterset_upstreams{cluster="%s",state="%s"}`, member, state)
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

// awaitMetrics waits until every one of the series is there and has its value.
func (s *server) awaitMetrics(t *testing.T, limit time.Duration, want map[string]float64) {
	t.Helper()
	eventually(t, limit, "metrics", func() error {
		series, err := s.scrape()
		if err != nil {
			return err
		}
		for name, value := range want {
			if got, exists := series[name]; !exists || got != value {
				return fmt.Errorf("%s: %v (there: %v), want %v", name, got, exists, value)
			}
		}
		return nil
	})
}

// seriesOf are the series that a member has.
func (s *server) seriesOf(member string) []string {
	s.t.Helper()
	series, err := s.scrape()
	if err != nil {
		s.t.Fatal(err)
	}
	var found []string
	for name := range series {
		if strings.Contains(name, fmt.Sprintf(`cluster="%s"`, member)) {
			found = append(found, name)
		}
	}
	return found
}
