package discovery

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// documentOf is a document with one member.
func documentOf(name string, subnet int) string {
	return fmt.Sprintf("apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters:\n- name: %s\n  serviceCIDRs: [10.%d.0.0/16]\n", name, subnet)
}

// TestLastGood: the last good ClusterSet stays, an error is reported once, and so is its
// end.
func TestLastGood(t *testing.T) {
	var observed []Update
	last := &lastGood{observe: func(u Update) { observed = append(observed, u) }, show: func(status.Document) {}}
	count := 0
	last.publish = func(u Update) {
		count++
		if count != len(observed) || u != observed[len(observed)-1] {
			t.Errorf("published %v, observed %v", u, observed)
		}
	}
	document := func(clusters string) map[string]string {
		return map[string]string{"c.yaml": "apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters: [" + clusters + "]\n"}
	}
	good, other := document("{name: c1, serviceCIDRs: [10.1.0.0/16]}"), document("{name: c2, serviceCIDRs: [10.2.0.0/16]}")
	bad, worse := document("{name: C1, serviceCIDRs: [10.1.0.0/16]}"), document("")
	gone := errors.New("gone")
	steps := []struct {
		name      string
		documents map[string]string
		err       error
		news, bad bool
		inForce   string // "" for none
	}{
		{"unreadable at the start", nil, gone, true, true, ""},
		{"still", nil, gone, false, true, ""},
		{"bad at the start", bad, nil, true, true, ""},
		{"good", good, nil, true, false, "c1"},
		{"bad", bad, nil, true, true, "c1"},
		{"still bad", bad, nil, false, true, "c1"},
		{"bad in another way", worse, nil, true, true, "c1"},
		{"unreadable", nil, gone, true, true, "c1"},
		{"still unreadable", nil, errors.New("gone"), false, true, "c1"},
		{"mended", good, nil, true, false, "c1"},
		{"bad again", bad, nil, true, true, "c1"},
		{"another good one", other, nil, true, false, "c2"},
	}
	for _, step := range steps {
		before := len(observed)
		var err error
		if step.err != nil {
			err = last.failed(step.err)
		} else {
			err = last.read(version{}, step.documents)
		}
		if news := len(observed) > before; news != step.news || (err != nil) != (step.news && step.bad) {
			t.Errorf("%s: observed %t, error %v", step.name, news, err)
		}
		now := observed[len(observed)-1]
		if (now.Err != nil) != step.bad || onlyMember(now.Set) != step.inForce {
			t.Errorf("%s: %v, error %v", step.name, onlyMember(now.Set), now.Err)
		}
	}
}

func onlyMember(set *model.ClusterSet) string {
	if set == nil || len(set.Clusters) != 1 {
		return ""
	}
	return set.Clusters[0].Name
}

// TestLastGoodOnce: documents that are read again aren't parsed again.
func TestLastGoodOnce(t *testing.T) {
	last := &lastGood{observe: func(Update) {}, publish: func(Update) {}, show: func(status.Document) {}}
	many := documentOf("c1", 1) + "  gateways: [" + strings.Repeat("x, ", 1000) + "]\n"
	for name, text := range map[string]string{"good": documentOf("c1", 1), "bad": many} {
		again := func() { _ = last.read(version{}, map[string]string{"k.yaml": text}) }
		again()
		set, err := last.parsed.Set, last.parseErr
		if n := testing.AllocsPerRun(10, again); n > 100 {
			t.Errorf("%s: %v allocations", name, n)
		}
		_ = last.failed(errors.New("gone"))
		if again(); last.parsed.Set != set || !errors.Is(last.parseErr, err) {
			t.Errorf("%s: parsed again after another error", name)
		}
	}
}
