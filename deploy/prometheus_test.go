package deploy

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// rules is a file of rules for Prometheus.
type rules struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Alert, Expr, For    string
			Labels, Annotations map[string]string
		}
	}
}

// tests is a file of tests for promtool.
type tests struct {
	Tests []struct {
		Cases []struct {
			Alert string `json:"alertname"`
			Want  []any  `json:"exp_alerts"`
		} `json:"alert_rule_test"`
	}
}

func unmarshal(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}

// Every alert says what it is, leads to its section, and has a test in which it fires
// and one in which it doesn't.
func TestAlerts(t *testing.T) {
	var all rules
	var tested tests
	unmarshal(t, read(t, "prometheus", "alerts.yaml"), &all)
	unmarshal(t, read(t, "prometheus", "alerts_test.yaml"), &tested)
	fires, quiet := make(map[string]bool), make(map[string]bool)
	for _, test := range tested.Tests {
		for _, c := range test.Cases {
			if len(c.Want) > 0 {
				fires[c.Alert] = true
			} else {
				quiet[c.Alert] = true
			}
		}
	}
	sections := alertSections(t)
	for _, group := range all.Groups {
		for _, rule := range group.Rules {
			if rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				t.Errorf("%s: no summary, or no description", rule.Alert)
			}
			if want := "deploy/running.md#" + strings.ToLower(rule.Alert); rule.Annotations["runbook"] != want {
				t.Errorf("%s: runbook: have %q, want %q", rule.Alert, rule.Annotations["runbook"], want)
			}
			if !slices.Contains([]string{"critical", "warning"}, rule.Labels["severity"]) {
				t.Errorf("%s: severity %q", rule.Alert, rule.Labels["severity"])
			}
			if !fires[rule.Alert] || !quiet[rule.Alert] {
				t.Errorf("%s: alerts_test.yaml has no test in which it fires, or none in which it doesn't", rule.Alert)
			}
			text, found := sections[rule.Alert]
			for _, want := range []string{"**What you see**", "**What it means**", "**What to do**"} {
				if !found || !strings.Contains(strings.ReplaceAll(text, "**what to do**", "**What to do**"), want) {
					t.Errorf("%s: running.md has no section for it, or no %s in it", rule.Alert, want)
				}
			}
			delete(sections, rule.Alert)
		}
	}
	for alert := range sections {
		t.Errorf("running.md has a section for %s, which is no alert", alert)
	}
}

var alertHeading = regexp.MustCompile(`(?m)^### (Clusterset\w+)$`)

// alertSections are running.md's, by the alert.
func alertSections(t *testing.T) map[string]string {
	t.Helper()
	page := read(t, "running.md")
	sections := make(map[string]string)
	headings := alertHeading.FindAllStringSubmatchIndex(page, -1)
	for _, at := range headings {
		text, _, _ := strings.Cut(page[at[1]:], "\n##")
		sections[page[at[2]:at[3]]] = text
	}
	return sections
}

// The operator's rules are the same.
func TestPrometheusRule(t *testing.T) {
	var plain rules
	var custom struct {
		APIVersion, Kind string
		Spec             rules
	}
	unmarshal(t, read(t, "prometheus", "alerts.yaml"), &plain)
	unmarshal(t, read(t, "prometheus", "prometheusrule.yaml"), &custom)
	if custom.Kind != "PrometheusRule" || custom.APIVersion != "monitoring.coreos.com/v1" {
		t.Errorf("it is a %s %s", custom.APIVersion, custom.Kind)
	}
	if !reflect.DeepEqual(plain, custom.Spec) {
		t.Error("alerts.yaml and prometheusrule.yaml differ; the first is the original")
	}
}

var metricName = regexp.MustCompile(`\bcoredns_clusterset_\w+`)

// The metrics that alerts, the dashboard and running.md name are in the man page.
func TestMetricsAreKnown(t *testing.T) {
	known := metricName.FindAllString(read(t, "..", "plugin", "clusterset", "README.md"), -1)
	for _, file := range []string{"running.md", "prometheus/alerts.yaml", "prometheus/alerts_test.yaml", "grafana/clusterset.json"} {
		used := metricName.FindAllString(read(t, file), -1)
		if len(used) == 0 {
			t.Errorf("%s names none", file)
		}
		for _, name := range used {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} { // of histograms
				name = strings.TrimSuffix(name, suffix)
			}
			if !slices.Contains(known, name) {
				t.Errorf("%s: the man page has no %s", file, name)
			}
		}
	}
}

// dashboard is Grafana's, as far as it is looked at here.
type dashboard struct {
	Title, UID string
	Templating struct{ List []struct{ Name, Type string } }
	Panels     []struct {
		ID          int
		Type, Title string
		Datasource  struct{ UID string }
		Targets     []struct {
			Expr   string
			Legend string `json:"legendFormat"`
		}
	}
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	var d dashboard
	if err := json.Unmarshal([]byte(read(t, "grafana", "clusterset.json")), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// The dashboard is for any Prometheus, shows what is chosen, and has every metric of the
// man page.
func TestDashboard(t *testing.T) {
	d := readDashboard(t)
	var variables []string
	for _, v := range d.Templating.List {
		variables = append(variables, v.Name)
	}
	if want := []string{"datasource", "job", "instance", "cluster"}; !slices.Equal(variables, want) {
		t.Errorf("variables: %q, want %q", variables, want)
	}
	shown := make(map[string]bool)
	ids := make(map[int]bool)
	for _, panel := range d.Panels {
		if ids[panel.ID] {
			t.Errorf("%s: id %d is another's", panel.Title, panel.ID)
		}
		ids[panel.ID] = true
		if panel.Type != "row" && panel.Datasource.UID != "${datasource}" {
			t.Errorf("%s: data source %q", panel.Title, panel.Datasource.UID)
		}
		for _, target := range panel.Targets {
			for _, series := range regexp.MustCompile(`coredns_\w+(\{[^}]*\})?`).FindAllString(target.Expr, -1) {
				if !strings.Contains(series, `job=~"$job", instance=~"$instance"`) {
					t.Errorf("%s: %s isn't of the chosen instances", panel.Title, series)
				}
				name, _, _ := strings.Cut(series, "{")
				shown[strings.TrimSuffix(name, "_bucket")] = true
			}
		}
	}
	for _, item := range regexp.MustCompile(`(?m)^\* `+"`"+`(coredns_clusterset_\w+)`).FindAllStringSubmatch(read(t, "..", "plugin", "clusterset", "README.md"), -1) {
		if !shown[item[1]] {
			t.Errorf("no panel shows %s", item[1])
		}
	}
}
