// Package deploy holds what installs clusterset, and watches it: an image, kustomizations, a
// chart, alerts, a dashboard. Its tests build the first, and have a real API server and a
// real Prometheus take the others.
package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
)

var overlays = []string{"kube-system", "stand-alone"}

// An overlay's Corefile, and the chart's, is the example of the same name, which is tested
// there. They are copies because kustomize and Helm read nothing outside of their own folders.
func TestCorefilesAreTheExamples(t *testing.T) {
	for name, mode := range map[string]string{"kube-system": "kubeSystem", "stand-alone": "standalone"} {
		example := read(t, "..", "corefile", name, "Corefile")
		for _, installed := range []string{"kustomize/" + name + "/Corefile", "helm/clusterset/files/" + mode + ".Corefile"} {
			if read(t, installed) != example {
				t.Errorf("deploy/%s and corefile/%s/Corefile differ; the second is the original", installed, name)
			}
		}
	}
}

// README.md's sed makes each Corefile answer names over all clusters.
func TestNamesOverAllClusters(t *testing.T) {
	script := regexp.MustCompile(`sed -i '(s/clusterset lan .*)' `).FindStringSubmatch(read(t, "README.md"))
	if script == nil {
		t.Fatal("README.md has no such sed")
	}
	for _, name := range overlays {
		out, err := exec.Command("sed", script[1], "kustomize/"+name+"/Corefile").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		const stanza = "    clusterset lan clusterset.local in-addr.arpa ip6.arpa {\n        multicluster clusterset.local\n"
		if !strings.Contains(string(out), stanza) {
			t.Errorf("%s: have %s, want in it %s", name, out, stanza)
		}
	}
}

func TestDocumentsAreGood(t *testing.T) {
	for _, name := range overlays {
		text := read(t, "kustomize", name, "clusterset.yaml")
		for _, finding := range document.Parse(map[string]string{name + "/clusterset.yaml": text}).Findings {
			t.Error(finding)
		}
	}
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
