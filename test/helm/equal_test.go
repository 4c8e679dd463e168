package helm

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// What the chart renders is what kustomize renders, object by object.
func TestEqualsKustomize(t *testing.T) {
	for _, c := range []struct {
		name, overlay, namespace string
		values                   map[string]any
		kustomization            string                   // with which kustomize is told the same
		corefile                 func(text string) string // what the values change in the Corefile
	}{
		{"standalone", "stand-alone", "clusterset", map[string]any{}, "", nil},
		{"kubeSystem", "kube-system", "kube-system", map[string]any{"mode": "kubeSystem"}, "", nil},
		{
			"standalone, all values", "stand-alone", "dns",
			map[string]any{
				"image": map[string]any{"repository": "registry.test/dns", "tag": "v1", "pullPolicy": "Always"},
				"local": "cluster2", "secrets": []any{"cluster1-kubeconfig", "cluster1-tls"}, "replicas": 3,
				"resources":    map[string]any{"limits": map[string]any{"memory": "1Gi"}, "requests": map[string]any{"memory": "1Gi", "cpu": "200m"}},
				"nodeSelector": map[string]any{"disk": "fast"}, "tolerations": []any{map[string]any{"operator": "Exists"}},
				"service":             map[string]any{"type": "LoadBalancer", "clusterIP": "10.101.0.53", "annotations": map[string]any{"a/b": "c"}},
				"runAsUser":           0,
				"podDisruptionBudget": true, "networkPolicy": true, "quota": true,
			},
			`
namespace: dns
images: [{name: registry.example/clusterset-coredns, newName: registry.test/dns, newTag: v1}]
replicas: [{name: clusterset, count: 3}]
patches:
- target: {kind: Role}
  patch: |
    - {op: add, path: /rules/1, value: {apiGroups: [""], resources: [secrets], resourceNames: [cluster1-kubeconfig, cluster1-tls], verbs: [get, list, watch]}}
- target: {kind: Service}
  patch: |
    {apiVersion: v1, kind: Service, metadata: {name: clusterset, annotations: {a/b: c}}, spec: {type: LoadBalancer, clusterIP: 10.101.0.53}}
- target: {kind: Deployment}
  patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: clusterset}
    spec:
      template:
        spec:
          securityContext: {runAsUser: null, runAsGroup: null}
          nodeSelector: {disk: fast}
          tolerations: [{operator: Exists}]
          containers:
          - name: coredns
            imagePullPolicy: Always
            resources: {limits: {memory: 1Gi}, requests: {memory: 1Gi, cpu: 200m}}
`,
			func(text string) string {
				return strings.NewReplacer("# local cluster1\n", "local cluster2\n", "configmap clusterset/", "configmap dns/").Replace(text)
			},
		},
		{
			"kubeSystem, all values", "kube-system", "kube-system",
			map[string]any{
				"mode": "kubeSystem", "local": "c1.eu", "secrets": []any{"a"},
				"image": map[string]any{"repository": "registry.test/dns", "tag": "v1", "pullPolicy": "Always"},
			},
			`
images: [{name: registry.example/clusterset-coredns, newName: registry.test/dns, newTag: v1}]
patches:
- target: {kind: Role}
  patch: |
    - {op: add, path: /rules/1, value: {apiGroups: [""], resources: [secrets], resourceNames: [a], verbs: [get, list, watch]}}
- target: {kind: Deployment}
  patch: |
    - {op: add, path: /spec/template/spec/containers/0/imagePullPolicy, value: Always}
`,
			func(text string) string { return strings.Replace(text, "# local cluster1\n", "local c1.eu\n", 1) },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.values["document"] = read(t, overlays, c.overlay, "clusterset.yaml")
			have := comparable(t, objects(t, mustTemplate(t, c.namespace, c.values).Manifest), nil)
			want := comparable(t, objects(t, kustomize(t, c.overlay, c.kustomization)), c.corefile)
			for _, name := range slices.Sorted(maps.Keys(want)) {
				if have[name] != want[name] {
					t.Errorf("%s: have\n%s\nwant\n%s", name, have[name], want[name])
				}
				delete(have, name)
			}
			for name := range have {
				t.Errorf("%s: not in kustomize's", name)
			}
		})
	}
}

// hashed is kustomize's name of the Corefile's ConfigMap, which is how it rolls a changed
// one out. The chart has a checksum in the pods' annotations.
var hashed = regexp.MustCompile(`\bcoredns-[a-z0-9]{10}\b`)

// comparable are the objects as text, less what each of the two has for its own ends.
func comparable(t *testing.T, all map[string]*unstructured.Unstructured, corefile func(string) string) map[string]string {
	t.Helper()
	texts := make(map[string]string)
	for name, o := range all {
		if o.GetKind() == "Namespace" {
			continue // helm's own --create-namespace
		}
		unstructured.RemoveNestedField(o.Object, "metadata", "annotations", "helm.sh/resource-policy")
		unstructured.RemoveNestedField(o.Object, "spec", "template", "metadata", "annotations", "checksum/corefile")
		removeEmpty(o.Object, "metadata", "annotations")
		removeEmpty(o.Object, "spec", "template", "metadata", "annotations")
		if text, found, _ := unstructured.NestedString(o.Object, "data", "Corefile"); found && corefile != nil {
			if corefile(text) == text {
				t.Errorf("%s: the values change nothing in the Corefile", name)
			}
			_ = unstructured.SetNestedField(o.Object, corefile(text), "data", "Corefile")
		}
		text, err := yaml.Marshal(o.Object)
		if err != nil {
			t.Fatal(err)
		}
		texts[hashed.ReplaceAllString(name, "coredns")] = hashed.ReplaceAllString(string(text), "coredns")
	}
	return texts
}

func removeEmpty(object map[string]any, path ...string) {
	if left, found, _ := unstructured.NestedMap(object, path...); found && len(left) == 0 {
		unstructured.RemoveNestedField(object, path...)
	}
}
