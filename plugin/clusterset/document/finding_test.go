package document

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// TestFindings: a finding has the document's words as they are; only its text is cut and
// escaped.
func TestFindings(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, tt := range []struct {
		name, text string
		want       Finding
		line       string // how the text begins
	}{
		{"a value", member("podCIDRs: [" + long + "]"), Finding{Path: "clusters[0].podCIDRs[0]", Value: long, Message: "not a CIDR"},
			`k.yaml: clusters[0].podCIDRs[0]: "xxx`},
		{"a value of controls", member(`podCIDRs: ["\e[31m"]`), Finding{Path: "clusters[0].podCIDRs[0]", Value: "\x1b[31m", Message: "not a CIDR"},
			`k.yaml: clusters[0].podCIDRs[0]: "\x1b[31m": not a CIDR`},
		{"no value", strings.Replace(member(), "kind: ClusterSet\n", "", 1), Finding{Path: "kind", Value: "", Message: "not ClusterSet"}, `k.yaml: kind: "": not ClusterSet`},
		{"a number", withPolicy(`{services: ["*/*"], weights: {c1: -1}}`), Finding{Path: "policies[0].weights.c1", Value: -1, Message: "below 0"},
			"k.yaml: policies[0].weights.c1: -1: below 0"},
		{"a field", member("? " + long + "\n  : 1"), Finding{Path: "clusters[0]." + long, Message: unknownField}, `k.yaml: unknown field "clusters[0].xxx`},
		{"a list", member("podCIDRs: x"), Finding{Path: "clusters[0].podCIDRs", Message: "a string: not a list"}, "k.yaml: clusters[0].podCIDRs: a string: not a list"},
		{"all of it", "", Finding{Message: "empty; a document starts with apiVersion: clusterset/v1alpha1"}, "k.yaml: empty; a document starts with apiVersion: clusterset/v1alpha1"},
		{"a bound", head + "clusters: " + strings.Repeat("[", 500) + strings.Repeat("]", 500), Finding{Message: "not YAML: line 3: nested more than 100 deep"},
			"k.yaml: not YAML: line 3: nested more than 100 deep"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			parsed := Parse(map[string]string{"k.yaml": tt.text})
			tt.want.Severity, tt.want.Key = Error, "k.yaml"
			if parsed.Set != nil || parsed.Err() == nil {
				t.Fatal("accepted")
			}
			if diff := cmp.Diff([]Finding{tt.want}, parsed.Findings); diff != "" {
				t.Fatal(diff)
			}
			if line := tt.want.String(); !strings.HasPrefix(line, tt.line) || line != parsed.Err().Error() || len(line) > maxText {
				t.Errorf("%s", line)
			}
		})
	}
}

// TestFindingsMany: a document that is wrong all over has a bounded number of findings, and
// an error of a few lines that counts the others.
func TestFindingsMany(t *testing.T) {
	const wrong = 3000
	parsed := Parse(map[string]string{"k.yaml": head + "clusters:\n" + strings.Repeat("- {name: A, serviceCIDRs: [10.1.0.0/16]}\n", wrong)})
	if len(parsed.Findings) != maxFindings || parsed.More != wrong-maxFindings {
		t.Errorf("%d findings and %d more", len(parsed.Findings), parsed.More)
	}
	lines := strings.Split(parsed.Err().Error(), "\n")
	if want := fmt.Sprintf("... and %d more", wrong-maxErrors); len(lines) != maxErrors+1 || lines[maxErrors] != want {
		t.Errorf("%d lines, the last %q, want %q", len(lines), lines[len(lines)-1], want)
	}
}

// TestOverlaps: CIDRs of two members of one network that share addresses are a warning: the
// ClusterSet is used.
func TestOverlaps(t *testing.T) {
	parsed := Parse(map[string]string{
		"a.yaml": head + "clusters:\n- {name: c1, serviceCIDRs: [10.1.0.0/16]}\n- {name: far, network: far, serviceCIDRs: [10.1.0.0/16]}\n",
		"b.yaml": head + "clusters:\n- {name: c2, serviceCIDRs: [10.2.0.0/16], podCIDRs: [10.3.0.0/16, 10.1.8.0/24]}\n- {name: c3, serviceCIDRs: [10.4.0.0/16, 10.3.4.0/24]}\n",
	})
	if parsed.Err() != nil || len(parsed.Set.Clusters) != 4 {
		t.Fatal(parsed.Err())
	}
	want := []string{
		`b.yaml: clusters[0].podCIDRs[1]: "10.1.8.0/24": overlaps 10.1.0.0/16 of c1: no PTR is served for the addresses in both`,
		`b.yaml: clusters[1].serviceCIDRs[1]: "10.3.4.0/24": overlaps 10.3.0.0/16 of c2: no PTR is served for the addresses in both`,
	}
	var got []string
	for _, f := range parsed.Findings {
		if f.Severity != Warning {
			t.Errorf("%s: %s", f, f.Severity)
		}
		got = append(got, f.String())
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) != len(model.Overlaps(parsed.Set.Clusters)) {
		t.Error(diff)
	}
}

// TestIdle: gateways to reach where there are none, and a probe of gateways that nobody is sent
// to, are warnings.
func TestIdle(t *testing.T) {
	const gateways, probe = "gateways: [203.0.113.1]", "probe: tcp://203.0.113.1:443"
	for _, tt := range []struct {
		name, text, want string
	}{
		{"gateways by default", member(gateways, probe), ""},
		{"gateways to reach", member(gateways, probe, "reach: [services, gateways]"), ""},
		{"no gateways to reach", member("reach: [services, gateways]"), `k.yaml: clusters[0].reach[1]: "gateways": the member has none; give gateways, or leave it out`},
		{"no gateways to reach, nor to probe", member(probe, "reach: [gateways]"), `k.yaml: clusters[0].reach[0]: "gateways": the member has none; give gateways, or leave it out`},
		{"no gateways to probe", member(probe), `k.yaml: clusters[0].probe: "tcp://203.0.113.1:443": has no effect: the member has no gateways`},
		{"gateways out of reach", member(gateways, probe, "reach: [pods]"), `k.yaml: clusters[0].probe: "tcp://203.0.113.1:443": has no effect: reach doesn't have gateways`},
	} {
		parsed := Parse(map[string]string{"k.yaml": tt.text})
		var got []string
		for _, f := range parsed.Findings {
			got = append(got, string(f.Severity)+" "+f.String())
		}
		if tt.want != "" {
			tt.want = "warning " + tt.want
		}
		if parsed.Err() != nil || strings.Join(got, "\n") != tt.want {
			t.Errorf("%s: %q, error %v; want %q", tt.name, got, parsed.Err(), tt.want)
		}
	}
}

// TestFindingJSON: a value that is empty is there, and one that isn't, isn't.
func TestFindingJSON(t *testing.T) {
	for _, tt := range []struct {
		finding Finding
		want    string
	}{
		{Finding{Severity: Error, Key: "k", Path: "kind", Value: "", Message: "not ClusterSet"}, `{"severity":"error","key":"k","path":"kind","value":"","message":"not ClusterSet"}`},
		{Finding{Severity: Error, Key: "k", Message: "empty"}, `{"severity":"error","key":"k","message":"empty"}`},
	} {
		if text, err := json.Marshal(tt.finding); err != nil || string(text) != tt.want {
			t.Errorf("%s, error %v", text, err)
		}
	}
}
