// Package deploy holds what installs clusterset: an image and kustomizations. Its
// tests build the one, and have a real API server take the others.
package deploy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
)

var overlays = []string{"kube-system", "stand-alone"}

// An overlay's Corefile is the example of the same name, which is tested there.
// It is a copy because kustomize reads nothing outside of its own folder.
func TestCorefilesAreTheExamples(t *testing.T) {
	for _, name := range overlays {
		installed := read(t, "kustomize", name, "Corefile")
		if example := read(t, "..", "corefile", name, "Corefile"); installed != example {
			t.Errorf("deploy/kustomize/%s/Corefile and corefile/%s/Corefile differ; the second is the original", name, name)
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
