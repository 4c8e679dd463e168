package lint

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
)

const (
	header = "apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters:\n"
	c1     = "- {name: c1, serviceCIDRs: [10.101.0.0/16]}\n"
	c2     = "- {name: c2, serviceCIDRs: [10.102.0.0/16]}\n"
	over   = "- {name: c3, serviceCIDRs: [10.101.4.0/24]}\n"
	bad    = "- {name: c4, serviceCIDRs: [10.104.0.0/33]}\n"
)

func configMapOf(name string, keys ...string) string {
	text := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\ndata:\n"
	for n := 0; n < len(keys); n += 2 {
		value, _ := json.Marshal(keys[n+1]) // a string
		text += "  " + keys[n] + ": " + string(value) + "\n"
	}
	return text
}

// TestLint: files are judged as the server judges keys, and manifests' ConfigMaps each by itself.
func TestLint(t *testing.T) {
	const deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: coredns}\n"
	for _, c := range []struct {
		name  string
		files map[string]string // "-" is standard input
		args  string
		code  int
		out   string
	}{
		{"good", map[string]string{"a.yaml": header + c1}, "a.yaml", cli.Good, "1 member, 0 warnings\n"},
		{"two files", map[string]string{"a.yaml": header + c1, "b.yaml": header + c2}, "a.yaml b.yaml", cli.Good, "2 members, 0 warnings\n"},
		{"standard input", map[string]string{"-": header + c1 + c2}, "-", cli.Good, "2 members, 0 warnings\n"},
		{"overlap", map[string]string{"a.yaml": header + c1 + over}, "a.yaml", cli.Degraded,
			"warning: a.yaml: clusters[1].serviceCIDRs[0]: \"10.101.4.0/24\": overlaps 10.101.0.0/16 of c1: no PTR is served for the addresses in both\n2 members, 1 warning\n"},
		{"bad", map[string]string{"a.yaml": header + c1 + bad}, "a.yaml", cli.Failed,
			"error: a.yaml: clusters[1].serviceCIDRs[0]: \"10.104.0.0/33\": not a CIDR\n1 error, 0 warnings\n"},
		{"twice", map[string]string{"a.yaml": header + c1, "b.yaml": header + c1}, "a.yaml b.yaml", cli.Failed,
			"error: b.yaml: clusters[0].name: \"c1\": duplicate member; first at a.yaml: clusters[0].name\n1 error, 0 warnings\n"},
		{"short", map[string]string{"a.yaml": header + bad}, "-o short a.yaml", cli.Failed, "1 error, 0 warnings\n"},
		{"manifests", map[string]string{"-": deployment + "---\n" + configMapOf("clusterset", "a.yaml", header+c1, "b.yaml", header+c2, "notes", "x")}, "-", cli.Good,
			"2 members, 0 warnings\n"},
		{"a ConfigMap of each cluster", map[string]string{"-": configMapOf("one", "a.yaml", header+c1) + "---\n" + configMapOf("two", "a.yaml", header+c1)}, "-", cli.Good,
			"2 members, 0 warnings\n"},
		{"bad ConfigMap", map[string]string{"-": configMapOf("one", "a.yaml", header+bad) + "---\n" + configMapOf("others", "prometheus.yaml", "x: 1")}, "-", cli.Failed,
			"error: -: one: a.yaml: clusters[0].serviceCIDRs[0]: \"10.104.0.0/33\": not a CIDR\n1 error, 0 warnings\n"},
		{"no ClusterSet", map[string]string{"-": deployment}, "-", cli.Failed, ""},
		{"no document", map[string]string{"a.yaml": ": x:\n\t"}, "a.yaml", cli.Failed, "error: a.yaml: "},
		{"no file", nil, "a.yaml", cli.Failed, ""},
		{"nothing", nil, "", cli.WrongUsage, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			for name, text := range c.files {
				if name != stdin {
					if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			var out, errOut bytes.Buffer
			context := cli.New(strings.NewReader(c.files[stdin]), &out, &errOut, "v1")
			code := context.Run(cli.NewRoot(context, New(context)), append([]string{"lint"}, strings.Fields(c.args)...))
			if code != c.code || !strings.HasPrefix(out.String(), c.out) || strings.HasSuffix(c.out, "\n") && out.String() != c.out || (errOut.Len() > 0) != (c.out == "") {
				t.Errorf("code %d, out %q, err %q; want code %d, out %q", code, out.String(), errOut.String(), c.code, c.out)
			}
		})
	}
}

// TestLintJSON: programs get the findings whole.
func TestLintJSON(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(file, []byte(header+bad), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	context := cli.New(nil, &out, &out, "v1")
	if code := context.Run(cli.NewRoot(context, New(context)), []string{"lint", "-o", "json", file}); code != cli.Failed {
		t.Errorf("code %d", code)
	}
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || len(r.Findings) != 1 || r.Findings[0].Path != "clusters[0].serviceCIDRs[0]" || r.Findings[0].Value != "10.104.0.0/33" {
		t.Errorf("%v: %s", err, out.String())
	}
}
