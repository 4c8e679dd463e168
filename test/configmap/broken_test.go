//go:build e2e

package configmap

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// maxLogged bounds what one broken document may add to the log.
const maxLogged = 16 << 10

// aMiB is nearly as much as the API lets a ConfigMap hold, 1 MiB.
const aMiB = 1<<20 - 1<<10

// brokenCase is a ConfigMap that can't be used, and what the log has to say.
type brokenCase struct {
	name string
	data map[string]string // nil: the ConfigMap is deleted
	want []string
}

func brokenCases(good entry) []brokenCase {
	wrong := document(good)
	return []brokenCase{
		{"unknown field", one(entry{good.name, good.cidr, good.dns, "serviceCIDR: 10.0.0.0/8"}),
			[]string{"clusterset.yaml", "clusters[0].serviceCIDR", "unknown field"}},
		{"wrong value", map[string]string{"a.yaml": wrong, "b.yaml": document(entry{"c2", "10.102.0.0/33", good.dns, ""})},
			[]string{"b.yaml: clusters[0].serviceCIDRs[0]", `"10.102.0.0/33"`, "not a CIDR"}},
		{"wrong type", one(entry{good.name, good.cidr, good.dns, "podCIDRs: 7"}),
			[]string{"clusterset.yaml: clusters[0].podCIDRs", "not a list"}},
		{"no document", map[string]string{"README": "nothing"}, []string{"configmap kube-system/clusterset", `".yaml"`}},
		{"no data", map[string]string{}, []string{"configmap kube-system/clusterset", `".yaml"`}},
		{"no member", one(), []string{"clusterset.yaml: clusters"}},
		{"a long word", map[string]string{"clusterset.yaml": strings.Repeat("x", aMiB)}, []string{"clusterset.yaml"}},
		{"deep", map[string]string{"clusterset.yaml": strings.Repeat("[", aMiB)}, []string{"clusterset.yaml"}},
		{"a long value", one(entry{good.name, good.cidr, strings.Repeat("x", aMiB), ""}),
			[]string{"clusterset.yaml: clusters[0].dns[0]"}},
		{"many mistakes", map[string]string{"clusterset.yaml": document() + strings.Repeat("- {name: a, x: 1}\n", aMiB/20)},
			[]string{`clusterset.yaml: unknown field "clusters[0].x"`, "more"}},
		{"deleted", nil, []string{"configmap kube-system/clusterset: not found"}},
	}
}

// TestBroken: whatever becomes of the ConfigMap, the last good ClusterSet is in
// force.
func TestBroken(t *testing.T) {
	a, c1, s := startServing(t)
	for _, test := range brokenCases(member(1, c1.Addr)) {
		t.Run(test.name, func(t *testing.T) { a.breakAndMend(t, s, c1, test) })
	}
	if n := s.Metric(configErrors); n != float64(len(brokenCases(entry{}))) {
		t.Errorf("%v errors counted, want one for each case", n)
	}
}

const takenUp = "ClusterSet in force"

func (a *api) breakAndMend(t *testing.T, s *server, c1 *dnsService, test brokenCase) {
	errors, logged, log := s.Metric(configErrors), s.Logged("ClusterSet unusable"), len(s.Log())
	served := s.Probe(who("c1"), answer(c1.mark))
	if test.data == nil {
		a.delete()
	} else {
		a.write(test.data)
	}
	// A document of 1 MiB takes time to parse.
	s.AwaitMetrics(t, 10*time.Second, map[string]float64{configGood: 0, configErrors: errors + 1, clusters: 1})
	harness.Eventually(t, seen, "log", func() error {
		text := harness.WithoutQueries(s.Log()[log:])
		for _, want := range test.want {
			if !strings.Contains(text, want) {
				return fmt.Errorf("it doesn't say %q: %.500q", want, text)
			}
		}
		return nil
	})
	if test.data != nil {
		a.touch(test.data) // still the same trouble
	}
	good := s.Logged(takenUp)
	a.write(one(member(1, c1.Addr)))
	harness.Eventually(t, 10*time.Second, "mended", func() error {
		if s.Logged(takenUp) == good {
			return fmt.Errorf("no %q", takenUp)
		}
		return nil
	})
	s.AwaitMetrics(t, seen, map[string]float64{configGood: 1, configErrors: errors + 1, clusters: 1})
	served.End(t)
	if n := s.Logged("ClusterSet unusable") - logged; n != 1 {
		t.Errorf("logged %d times, want once", n)
	}
	if grown := len(harness.WithoutQueries(s.Log()[log:])); grown > maxLogged {
		t.Errorf("the log grew by %d bytes, %d allowed", grown, maxLogged)
	}
}

// createEvents is the rule that an Event needs.
func createEvents() rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"events"}, Verbs: []string{"create"}}
}

// TestEvent: where the role allows it, the ConfigMap's owner is told there.
func TestEvent(t *testing.T) {
	a, c1, s := startServing(t, createEvents())

	broken := one(entry{"c1", "10.101.0.0/33", c1.Addr, ""})
	a.write(broken)
	var events []v1.Event
	harness.Eventually(t, seen, "Event", func() error {
		events = a.events(t.Context())
		if len(events) == 0 {
			return fmt.Errorf("none")
		}
		return nil
	})
	a.touch(broken)
	a.write(one(member(2, c1.Addr)))
	s.Await(t, seen, who("c1"), unknown) // and so the touched one was seen
	if events = a.events(t.Context()); len(events) != 1 {
		t.Fatalf("%d Events, want 1", len(events))
	}
	e := events[0]
	const message = `clusterset.yaml: clusters[0].serviceCIDRs[0]: "10.101.0.0/33": not a CIDR`
	if e.Type != v1.EventTypeWarning || e.Reason != "InvalidClusterSet" || e.Message != message || e.InvolvedObject.Kind != "ConfigMap" {
		t.Errorf("Event %s %s of %s: %q, want %q", e.Type, e.Reason, e.InvolvedObject.Kind, e.Message, message)
	}
}

// events are those on the ConfigMap.
func (a *api) events(ctx context.Context) []v1.Event {
	a.t.Helper()
	list, err := a.admin.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=" + configMap})
	a.must(err)
	return list.Items
}

// TestManyBroken: a script that gets it wrong again and again, each time in
// another way, must not delay the document that is right.
func TestManyBroken(t *testing.T) {
	a, c1, s := startServing(t)
	for i := range 40 {
		a.write(one(entry{"c1", fmt.Sprintf("10.101.0.0/%d", 33+i), c1.Addr, ""}))
	}
	written := a.write(one(member(2, c1.Addr)))
	s.Await(t, 60*time.Second, who("c1"), unknown)
	took := time.Since(written)
	t.Logf("after 40 broken documents, the good one is seen after %v", took)
	if took > seen {
		t.Errorf("seen after %v, want %v", took, seen)
	}
}
