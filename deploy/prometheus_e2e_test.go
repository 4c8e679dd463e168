//go:build e2e

package deploy

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// patience bounds what takes a few seconds, on a machine that does other things too.
const patience = time.Minute

// prometheusIP is where this package's Prometheus and the servers that it scrapes are.
const prometheusIP = "127.0.125.1"

// needs ends the test where a Debian package isn't installed.
func needs(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("needs %s, from Debian's package prometheus", program)
	}
}

// Prometheus' own checks of the rules, and their tests.
func TestRules(t *testing.T) {
	needs(t, "promtool")
	for _, args := range [][]string{
		{"check", "rules", "prometheus/alerts.yaml"},
		{"test", "rules", "prometheus/alerts_test.yaml"},
	} {
		if out, err := exec.Command("promtool", args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

// prometheus is a real one that scrapes a server and has the alerts.
type prometheus struct {
	*harness.Program
	address string
}

func startPrometheus(t *testing.T, target string) *prometheus {
	t.Helper()
	dir := t.TempDir()
	rules, err := filepath.Abs("prometheus/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	harness.WriteFile(t, filepath.Join(dir, "prometheus.yml"), fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
- job_name: coredns
  static_configs: [{targets: [%q]}]
`, rules, target))
	address := harness.FreeAddr(t, prometheusIP).String()
	program, err := harness.Run(exec.Command("prometheus", "--config.file", filepath.Join(dir, "prometheus.yml"),
		"--storage.tsdb.path", filepath.Join(dir, "data"), "--web.listen-address", address), filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		program.Kill()
		if t.Failed() {
			t.Logf("Prometheus said\n%s", program.Log())
		}
	})
	return &prometheus{program, address}
}

// value is one series of a result.
type value struct {
	labels map[string]string
	number float64
}

// query evaluates the expression now. What isn't a number is no result.
func (p *prometheus) query(expression string) ([]value, error) {
	var data struct {
		Result json.RawMessage
		Type   string `json:"resultType"`
	}
	if err := p.get("/api/v1/query?query="+url.QueryEscape(expression), &data); err != nil {
		return nil, fmt.Errorf("%s: %w", expression, err)
	}
	if data.Type != "vector" {
		return nil, fmt.Errorf("%s: it is a %s, and not a vector", expression, data.Type)
	}
	var vector []struct {
		Metric map[string]string
		Value  [2]any
	}
	if err := json.Unmarshal(data.Result, &vector); err != nil {
		return nil, err
	}
	var values []value
	for _, v := range vector {
		number, err := strconv.ParseFloat(fmt.Sprint(v.Value[1]), 64)
		if err != nil {
			return nil, err
		}
		if !math.IsNaN(number) {
			values = append(values, value{v.Metric, number})
		}
	}
	return values, nil
}

// await waits until the expression has a result.
func (p *prometheus) await(t *testing.T, expression string) {
	t.Helper()
	if _, err := harness.Poll(t.Context(), patience, func() error {
		if err := p.Running(); err != nil {
			return err
		}
		values, err := p.query(expression)
		if err == nil && len(values) == 0 {
			err = fmt.Errorf("%s: no data", expression)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

// get reads the data of an answer of the API.
func (p *prometheus) get(path string, into any) error {
	client := http.Client{Timeout: 10 * time.Second}
	reply, err := client.Get("http://" + p.address + path)
	if err != nil {
		return err
	}
	defer func() { _ = reply.Body.Close() }() // it was read
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		return err
	}
	var answer struct {
		Status, Error string
		Warnings      []string
		Data          json.RawMessage
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("%s: %s", reply.Status, text)
	}
	if answer.Status != "success" || len(answer.Warnings) > 0 {
		return fmt.Errorf("%s: %s %v", answer.Status, answer.Error, answer.Warnings)
	}
	return json.Unmarshal(answer.Data, into)
}
