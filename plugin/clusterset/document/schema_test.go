package document

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kube-openapi/pkg/validation/strfmt"
	"k8s.io/kube-openapi/pkg/validation/validate"
	"sigs.k8s.io/yaml"
)

// schema reads schema.json, with its definitions put in where they are referred to, as editors
// do.
func schema(t *testing.T) map[string]any {
	t.Helper()
	text, err := os.ReadFile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	definitions := all["definitions"].(map[string]any)
	var resolve func(node any) any
	resolve = func(node any) any {
		switch node := node.(type) {
		case map[string]any:
			if ref, is := node["$ref"].(string); is {
				return resolve(definitions[strings.TrimPrefix(ref, "#/definitions/")])
			}
			for key, value := range node {
				node[key] = resolve(value)
			}
		case []any:
			for n := range node {
				node[n] = resolve(node[n])
			}
		}
		return node
	}
	delete(all, "definitions")
	delete(all, "$schema")
	return resolve(all).(map[string]any)
}

// TestSchemaFields: the schema has the fields of the documents, and no others.
func TestSchemaFields(t *testing.T) {
	var compare func(path string, node map[string]any, of reflect.Type)
	compare = func(path string, node map[string]any, of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			if items, is := node["items"].(map[string]any); is && of.Kind() == reflect.Slice {
				node = items
			}
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct {
			return
		}
		properties, _ := node["properties"].(map[string]any)
		var have, want []string
		for name := range properties {
			have = append(have, name)
		}
		for field := range of.Fields() {
			name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			want = append(want, name)
			if property, is := properties[name].(map[string]any); is {
				compare(path+"."+name, property, field.Type)
			}
		}
		slices.Sort(have)
		slices.Sort(want)
		if d := cmp.Diff(want, have); d != "" {
			t.Errorf("%s (-documents +schema):\n%s", path, d)
		}
		if node["additionalProperties"] != false {
			t.Errorf("%s: takes others", path)
		}
	}
	compare("", schema(t), reflect.TypeFor[Document]())
}

// TestSchema: what is good is good by the schema, and what is malformed isn't.
func TestSchema(t *testing.T) {
	text, err := json.Marshal(schema(t))
	if err != nil {
		t.Fatal(err)
	}
	var s spec.Schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	validator := validate.NewSchemaValidator(&s, nil, "", strfmt.Default)
	judge := func(text string) string {
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			t.Fatal(err)
		}
		var errs []string
		for _, err := range validator.Validate(value).Errors {
			errs = append(errs, err.Error())
		}
		return strings.Join(errs, "; ")
	}
	for _, path := range []string{"testdata/good.yaml", "../../../corefile/laptop/clusterset.yaml", "../../../corefile/whole-set/clusterset.yaml"} {
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if errs := judge(string(good)); errs != "" {
			t.Errorf("%s: %s", path, errs)
		}
	}
	const start = "apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters:\n- name: c1\n"
	for _, bad := range []string{
		strings.Replace(start, "v1alpha1", "v1", 1), strings.Replace(start, "ClusterSet", "Cluster", 1), strings.Replace(start, "name: c1", "network: n", 1),
		strings.Replace(start, "c1", "C1", 1), strings.Replace(start, "c1", "a.b.c", 1), "apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters: []\n",
		start + "  serviceCIDRs: 10.0.0.0/16\n", start + "  region: [a]\n", start + "  dnss: [10.0.0.1]\n", start + "  reach: []\n", start + "  reach: [nodes]\n",
		start + "  namespaces: []\n", start + "  probe: ping://x\n", start + "  tls: {secrets: a/b}\n", start + "  kubeconfig: {secret: b}\n",
		start + "policies: [{affinity: local}]\n", start + "policies: [{services: [a/b], affinity: far}]\n", start + "policies: [{services: [a]}]\n",
		start + "policies: [{services: [a/b], weights: {c1: x}}]\n", start + "policies: [{services: [a/b], allow: []}]\n",
	} {
		if judge(bad) == "" {
			t.Errorf("taken: %s", bad)
		}
		if _, err := parse(map[string]string{"k.yaml": bad}); err == nil {
			t.Errorf("taken by the server: %s", bad)
		}
	}
}
