//go:build e2e

package deploy

import (
	"slices"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"sigs.k8s.io/yaml"

	"github.com/coredns-clusterset/clusterset/test/apiserver"
)

// The API takes every object of each overlay; then they are applied.
func TestKustomize(t *testing.T) {
	clusters := apiserver.Start(t, "kube-system", "stand-alone", "member")
	t.Run("member", func(t *testing.T) { testMember(t, connect(t, clusters.Kubeconfig("member"))) })
	t.Run("kube-system", func(t *testing.T) {
		c := connect(t, clusters.Kubeconfig("kube-system"))
		testKubeSystem(t, c)
		c.wantRightsEnough(t, clusters, "kube-system", "kube-system", "coredns")
		granted := slices.Concat(grantsHere, grantsOfCoreDNS, grantsOfDocument("kube-system"))
		c.wantOnly(t, "kube-system", "coredns", granted)
		c.wantJoin(t, clusters, "kube-system", "kube-system", "coredns", granted)
	})
	t.Run("stand-alone", func(t *testing.T) {
		c := connect(t, clusters.Kubeconfig("stand-alone"))
		testStandAlone(t, c)
		c.wantRightsEnough(t, clusters, "stand-alone", "clusterset", "clusterset")
		granted := slices.Concat(grantsHere, grantsOfDocument("clusterset"))
		c.wantOnly(t, "clusterset", "clusterset", granted)
		c.wantJoin(t, clusters, "stand-alone", "clusterset", "clusterset", granted)
	})
}

// The overlay changes the Corefile and the image of the CoreDNS there is, and
// nothing else about it.
func testKubeSystem(t *testing.T, c *cluster) {
	objects := render(t, "kube-system")
	c.ensureNamespace(t, "kube-system")
	if err := c.apply(t, only(t, objects, "Deployment"), metav1.DryRunAll); err == nil {
		t.Error("a cluster without CoreDNS: the Deployment is taken, though it has no selector")
	}
	for _, o := range split(t, read(t, "testdata", "coredns.yaml")) {
		c.create(t, o)
	}
	before := c.deployment(t, "kube-system", "coredns")
	c.applyAll(t, objects, metav1.DryRunAll)
	if c.deployment(t, "kube-system", "coredns").Generation != before.Generation {
		t.Fatal("the dry run changed the Deployment")
	}
	c.applyAll(t, objects)

	after := c.deployment(t, "kube-system", "coredns")
	container := &after.Spec.Template.Spec.Containers[0]
	if container.Image != "registry.example/clusterset-coredns:dev" {
		t.Errorf("image: have %s", container.Image)
	}
	container.Image = before.Spec.Template.Spec.Containers[0].Image
	wantSame(t, "the rest of the Deployment", after.Spec, before.Spec)
	if have := c.configMap(t, "kube-system", "coredns").Data["Corefile"]; have != read(t, "kustomize", "kube-system", "Corefile") {
		t.Errorf("Corefile: have\n%s", have)
	}
}

func testStandAlone(t *testing.T, c *cluster) {
	objects := render(t, "stand-alone")
	namespace := only(t, objects, "Namespace")
	if err := c.apply(t, namespace, metav1.DryRunAll); err != nil {
		t.Fatal(err)
	}
	if err := c.apply(t, namespace); err != nil { // a dry run needs it for what is in it
		t.Fatal(err)
	}
	c.applyAll(t, objects, metav1.DryRunAll)
	c.applyAll(t, objects)

	deployment := c.deployment(t, "clusterset", "clusterset")
	c.wantPod(t, deployment)
	name := deployment.Spec.Template.Spec.Volumes[0].ConfigMap.Name
	if have := c.configMap(t, "clusterset", name).Data["Corefile"]; have != read(t, "kustomize", "stand-alone", "Corefile") {
		t.Errorf("the Corefile that pods get: have\n%s", have)
	}
}

// testMember: the reader of a member's data may read them, and nothing else.
func testMember(t *testing.T, c *cluster) {
	objects := render(t, "member")
	c.ensureNamespace(t, "kube-system")
	c.applyAll(t, objects, metav1.DryRunAll)
	c.applyAll(t, objects)
	c.wantOnly(t, "kube-system", "clusterset-reader", grantsOfMember)
}

// wantPod has the API take a pod of the Deployment: that is where the namespace's
// Pod Security Standard, its quota and the priority class count.
func (c *cluster) wantPod(t *testing.T, d *appsv1.Deployment) {
	t.Helper()
	pod := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "one", Namespace: d.Namespace, Labels: d.Spec.Template.Labels},
		Spec:       d.Spec.Template.Spec,
	}
	options := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	eventually(t, "a pod of the Deployment is taken", func() error {
		_, err := c.client.CoreV1().Pods(d.Namespace).Create(t.Context(), pod, options)
		return err
	})
	root := int64(0)
	pod.Spec.SecurityContext.RunAsUser = &root
	if _, err := c.client.CoreV1().Pods(d.Namespace).Create(t.Context(), pod, options); err == nil {
		t.Error("the namespace takes a pod that runs as root")
	}
}

func wantSame(t *testing.T, what string, have, want any) {
	t.Helper()
	haveText, err := yaml.Marshal(have)
	if err != nil {
		t.Fatal(err)
	}
	wantText, err := yaml.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if string(haveText) != string(wantText) {
		t.Errorf("%s: have\n%s\nwant\n%s", what, haveText, wantText)
	}
}
