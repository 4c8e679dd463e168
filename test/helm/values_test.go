package helm

import (
	"reflect"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"sigs.k8s.io/yaml"
)

// Values that mean nothing are refused, in words that say where and what would be right.
func TestSchema(t *testing.T) {
	for _, c := range []struct{ values, want string }{
		{"mode=kube-system", "at '/mode': value must be one of 'standalone', 'kubeSystem'"},
		{"replica=3", "additional properties 'replica' not allowed"},
		{"replicas=0", "at '/replicas': minimum: got 0, want 1"},
		{"replicas=two", "at '/replicas': got string, want integer"},
		{"local=Cluster1", "at '/local'"},
		{"local=a.b.c", "at '/local'"},
		{"secrets=one", "at '/secrets': got string, want array"},
		{"secrets.0=*", "at '/secrets/0'"},
		{"image.tag=", "at '/image/tag'"},
		{"image.digest=x", "additional properties 'digest' not allowed"},
		{"image.pullPolicy=always", "at '/image/pullPolicy': value must be one of"},
		{"resources.limits.memory=-", "missing property 'memory'"},
		{"service.type=NodePort", "at '/service/type': value must be one of 'ClusterIP', 'LoadBalancer'"},
		{"service.clusterIP=dns", "at '/service/clusterIP'"},
		{"networkPolicy=yes", "at '/networkPolicy': got string, want boolean"},
	} {
		_, err := template(t, "clusterset", parse(c.values))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: have %v\nwant %s", c.values, err, c.want)
		}
	}
}

// parse reads "a.b=c": as --set does, less what it makes of c; "secrets.0" is in a list,
// and "-" takes the default away.
func parse(text string) map[string]any {
	path, last, _ := strings.Cut(text, "=")
	var value any = last
	switch last {
	case "0":
		value = 0
	case "3":
		value = 3
	case "-":
		value = nil
	}
	if path == "secrets.0" {
		return map[string]any{"secrets": []any{value}}
	}
	parts := strings.Split(path, ".")
	for i := len(parts) - 1; i >= 0; i-- {
		value = map[string]any{parts[i]: value}
	}
	return value.(map[string]any)
}

// Helm's lint finds nothing to warn of, in both modes, but that kubeSystem's Deployment
// has no selector: it is merged into the one that is there, which has one.
func TestLint(t *testing.T) {
	for mode, known := range map[string]string{
		"standalone": "",
		"kubeSystem": `a Deployment must contain matchLabels or matchExpressions, and "coredns" does not`,
	} {
		lint := action.NewLint()
		lint.Strict = true
		for _, message := range lint.Run([]string{chartPath}, map[string]any{"mode": mode}).Messages {
			if message.Severity > support.InfoSev && message.Err.Error() != known {
				t.Errorf("%s: %v", mode, message)
			}
		}
	}
}

// The notes say what is still to be done.
func TestNotes(t *testing.T) {
	notes := mustTemplate(t, "dns", map[string]any{}).Info.Notes
	for _, want := range []string{"-n dns get service clusterset", "ConfigMap dns/clusterset", `"local" is empty`} {
		if !strings.Contains(notes, want) {
			t.Errorf("want %q in\n%s", want, notes)
		}
	}
	notes = mustTemplate(t, "kube-system", map[string]any{"mode": "kubeSystem", "local": "a", "document": "x"}).Info.Notes
	if !strings.Contains(notes, "rollout status deployment coredns") || strings.Contains(notes, "empty") || strings.Contains(notes, "until it is there") {
		t.Errorf("have\n%s", notes)
	}
}

// Without a document there is no ConfigMap of it, whoever makes that.
func TestNoDocument(t *testing.T) {
	for key := range objects(t, mustTemplate(t, "clusterset", map[string]any{}).Manifest) {
		if key == "ConfigMap clusterset/clusterset" {
			t.Error("there is a ConfigMap for the document")
		}
	}
}

// The alerts are those of deploy/prometheus, with the operator's labels.
func TestPrometheusRule(t *testing.T) {
	for _, mode := range []string{"standalone", "kubeSystem"} {
		values := map[string]any{"mode": mode, "prometheusRule": true, "prometheusRuleLabels": map[string]any{"release": "prometheus"}}
		all := objects(t, mustTemplate(t, "kube-system", values).Manifest)
		rule := all["PrometheusRule kube-system/clusterset"]
		if rule == nil || rule.GetLabels()["release"] != "prometheus" {
			t.Fatalf("%s: have %v", mode, rule)
		}
		var want map[string]any
		if err := yaml.Unmarshal([]byte(read(t, root, "deploy", "prometheus", "alerts.yaml")), &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(rule.Object["spec"], want) {
			t.Errorf("%s: the chart's files/alerts.yaml and deploy/prometheus/alerts.yaml differ; the second is the original", mode)
		}
	}
}
