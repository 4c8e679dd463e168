package helm

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	release "helm.sh/helm/v4/pkg/release/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const (
	root      = "../.."
	chartPath = root + "/deploy/helm/clusterset"
	overlays  = root + "/deploy/kustomize"
)

// handWritten is what kustomizations say about a document written by hand.
const handWritten = `# - name: clusterset
#   files: [clusterset.yaml]
#   options: {disableNameSuffixHash: true}
`

func load(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := loader.Load(chartPath)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// template does what "helm template" does.
func template(t *testing.T, namespace string, values map[string]any) (*release.Release, error) {
	t.Helper()
	install := action.NewInstall(action.NewConfiguration())
	install.DryRunStrategy = action.DryRunClient
	install.ReleaseName, install.Namespace = "clusterset", namespace
	install.KubeVersion = &common.KubeVersion{Version: "v1.36.3", Major: "1", Minor: "36"}
	r, err := install.Run(load(t), values)
	if err != nil {
		return nil, err
	}
	return r.(*release.Release), nil
}

func mustTemplate(t *testing.T, namespace string, values map[string]any) *release.Release {
	t.Helper()
	r, err := template(t, namespace, values)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// kustomize renders a kustomization in memory, upon one of the repository's, with its
// ClusterSet that is written by hand.
func kustomize(t *testing.T, overlay, more string) string {
	t.Helper()
	files := filesys.MakeFsInMemory()
	entries, err := os.ReadDir(filepath.Join(overlays, overlay))
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if err := files.WriteFile("base/"+entry.Name(), []byte(read(t, overlays, overlay, entry.Name()))); err != nil {
			t.Fatal(err)
		}
	}
	name := "kustomization.yaml"
	base := strings.Replace(read(t, overlays, overlay, name), handWritten, strings.ReplaceAll(handWritten, "# ", ""), 1)
	if err := files.WriteFile("base/"+name, []byte(base)); err != nil {
		t.Fatal(err)
	}
	text := "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../base]\n" + more
	if err := files.WriteFile("top/kustomization.yaml", []byte(text)); err != nil {
		t.Fatal(err)
	}
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, "top")
	if err != nil {
		t.Fatal(err)
	}
	rendered, err := resources.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return string(rendered)
}

// objects are those of a YAML text, by kind and name.
func objects(t *testing.T, text string) map[string]*unstructured.Unstructured {
	t.Helper()
	all := make(map[string]*unstructured.Unstructured)
	reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		doc, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(doc, &o.Object); err != nil {
			t.Fatalf("%v\n%s", err, doc)
		}
		if len(o.Object) == 0 {
			continue // a template that gives nothing in this mode
		}
		key := fmt.Sprintf("%s %s/%s", o.GetKind(), o.GetNamespace(), o.GetName())
		if all[key] != nil {
			t.Errorf("%s twice", key)
		}
		all[key] = o
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
