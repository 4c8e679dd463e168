//go:build e2e

package harness

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Drained bounds the time until a member that left has left no trace: the plugin
// keeps it 5 s for queries under way.
const Drained = 8 * time.Second

// Responses is the series of the replies about a member's names.
func Responses(member, rcode, source string) string {
	return fmt.Sprintf(`coredns_clusterset_responses_total{cluster="%s",rcode="%s",source="%s"}`, member, rcode, source)
}

// Scrape reads all series: "name{labels}", with the labels in their order, and
// the value.
func (s *Server) Scrape() (map[string]float64, error) {
	response, err := get(s.metrics, 5*time.Second)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return parseMetrics(response.Body)
}

// parseMetrics reads Prometheus' text format, without timestamps.
func parseMetrics(text io.Reader) (map[string]float64, error) {
	series := make(map[string]float64)
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if strings.HasPrefix(line, "#") || at < 0 {
			continue
		}
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		series[line[:at]] = value
	}
	return series, lines.Err()
}

func (s *Server) mustScrape() map[string]float64 {
	s.t.Helper()
	series, err := s.Scrape()
	if err != nil {
		s.t.Fatal(err)
	}
	return series
}

// Metric is a series' value, 0 for one that isn't there: a counter appears when
// it counts first.
func (s *Server) Metric(name string) float64 {
	s.t.Helper()
	return s.mustScrape()[name]
}

// AwaitMetrics waits until every one of the series is there and has its value.
func (s *Server) AwaitMetrics(t testing.TB, limit time.Duration, want map[string]float64) {
	t.Helper()
	Eventually(t, limit, s.name+": metrics", func() error {
		series, err := s.Scrape()
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

// AwaitNoSeries waits, as long as Drained, until a member that left has no series
// any more.
func (s *Server) AwaitNoSeries(t testing.TB, member string) {
	t.Helper()
	label := fmt.Sprintf(`cluster="%s"`, member)
	Eventually(t, Drained, s.name+": series of "+member, func() error {
		for name := range s.mustScrape() {
			if strings.Contains(name, label) {
				return fmt.Errorf("still there: %s", name)
			}
		}
		return nil
	})
}

// MetricsAddr is where Prometheus scrapes it: HOST:PORT, at /metrics.
func (s *Server) MetricsAddr() string {
	return strings.TrimSuffix(strings.TrimPrefix(s.metrics, "http://"), "/metrics")
}
