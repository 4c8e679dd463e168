//go:build e2e

package deploy

import (
	"fmt"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// emptyWhenWell are the dashboard's queries that have no result while what they show
// doesn't happen, as "panel: legend".
var emptyWhenWell = []string{
	"Failed queries to members, by reason: {{cluster}} {{reason}}", // the dead one is probed, not asked
	"Upstreams' replies that aren't NOERROR or NXDOMAIN: {{cluster}} {{rcode}}",
	"Upstreams' replies that aren't NOERROR or NXDOMAIN: {{cluster}} dropped: {{reason}}",
	"Stale answers: {{cluster}}",
	"Stale answers: {{cluster}} from the cache",
	"Troubles with members' APIs: {{cluster}} {{reason}}",
	"Credentials run out in: {{cluster}}",
	"Cache: answers: {{cluster}} evicted a second",
}

// A real Prometheus scrapes a real server: every query of the dashboard is understood and
// has a result, every alert is evaluated, and the metrics keep to Prometheus' rules.
func TestScraped(t *testing.T) {
	needs(t, "prometheus")
	needs(t, "promtool")
	server, change := startScraped(t)
	p := startPrometheus(t, server.MetricsAddr())
	p.await(t, `count_over_time(coredns_clusterset_clusters[60s]) > 4`)
	change()
	t.Run("dashboard", func(t *testing.T) { testDashboard(t, p) })
	t.Run("alerts", func(t *testing.T) { testAlerts(t, p) })
	t.Run("metrics", func(t *testing.T) { testMetrics(t, server) })
}

func testDashboard(t *testing.T, p *prometheus) {
	asked := strings.NewReplacer("$__rate_interval", "60s", "$job", "coredns", "$instance", ".+", "$cluster", ".+")
	var seen []string
	for _, panel := range readDashboard(t).Panels {
		for _, target := range panel.Targets {
			expression, where := asked.Replace(target.Expr), panel.Title+": "+target.Legend
			if slices.Contains(emptyWhenWell, where) {
				if _, err := p.query(expression); err != nil {
					t.Errorf("%s: %v", where, err)
				}
				seen = append(seen, where)
				continue
			}
			p.await(t, expression)
		}
	}
	if len(seen) != len(emptyWhenWell) {
		t.Errorf("of emptyWhenWell only these are in the dashboard: %q", seen)
	}
}

var selector = regexp.MustCompile(`coredns_clusterset_\w+(\{[^}]*\})?`)

// testAlerts: Prometheus evaluates each, and each series that they look at is there; the
// dead member's are on their way.
func testAlerts(t *testing.T, p *prometheus) {
	waiting := map[string]bool{"ClustersetMemberDown": true, "ClustersetUpstreamDown": true, "ClustersetMemberFails": true, "ClustersetNamesFail": true}
	harness.Eventually(t, patience, "alerts", func() error {
		var loaded struct {
			Groups []struct {
				Rules []struct {
					Name, Query, Health, State string
					LastError                  string
				}
			}
		}
		if err := p.get("/api/v1/rules", &loaded); err != nil {
			return err
		}
		for _, group := range loaded.Groups {
			for _, rule := range group.Rules {
				if rule.Health != "ok" || rule.LastError != "" {
					return fmt.Errorf("%s: %s %s", rule.Name, rule.Health, rule.LastError)
				}
				if waiting[rule.Name] != (rule.State != "inactive") {
					return fmt.Errorf("%s is %s", rule.Name, rule.State)
				}
			}
		}
		if len(loaded.Groups) == 0 {
			return fmt.Errorf("no rules")
		}
		return nil
	})
	var all rules
	unmarshal(t, read(t, "prometheus", "alerts.yaml"), &all)
	for _, group := range all.Groups {
		for _, rule := range group.Rules {
			for _, series := range selector.FindAllString(rule.Expr, -1) {
				p.await(t, series)
			}
		}
	}
}

// testMetrics has promtool judge clusterset's metrics.
func testMetrics(t *testing.T, server *harness.Server) {
	reply, err := http.Get("http://" + server.MetricsAddr() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }() // it was read
	check := exec.Command("sh", "-c", "grep coredns_clusterset_ | promtool check metrics")
	check.Stdin = reply.Body
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
