//go:build e2e

package helm

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"testing"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/kube"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
)

// Stand-alone is installed, changed and taken away by Helm in a real API, and leaves
// nothing there.
func TestStandAlone(t *testing.T) {
	c := startAPI(t)
	document := read(t, overlays, "stand-alone", "clusterset.yaml")
	c.install(t, "clusterset", map[string]any{"document": document, "local": "cluster1"})
	c.upgrade(t, "clusterset", map[string]any{"document": document, "local": "cluster2", "networkPolicy": false})

	d, err := c.client.AppsV1().Deployments("clusterset").Get(t.Context(), "clusterset", metav1.GetOptions{})
	if err != nil || *d.Spec.Replicas != 2 {
		t.Errorf("the Deployment: %v (%v)", d, err)
	}
	policies, err := c.client.NetworkingV1().NetworkPolicies("clusterset").List(t.Context(), metav1.ListOptions{})
	if err != nil || len(policies.Items) != 0 {
		t.Errorf("the network policy that was switched off is still there (%v)", err)
	}
	c.uninstall(t, "clusterset")
	for _, o := range objects(t, mustTemplate(t, "clusterset", map[string]any{"document": document}).Manifest) {
		if err := c.get(t, o); !apierrors.IsNotFound(err) {
			t.Errorf("%s %s after the uninstallation: %v", o.GetKind(), o.GetName(), err)
		}
	}
}

// In kube-system, Helm merges the image into the Deployment there is, and the Corefile
// into its ConfigMap. Taken away, it leaves both: they are the cluster's DNS.
func TestKubeSystem(t *testing.T) {
	c := startAPI(t)
	for _, o := range objects(t, read(t, root, "deploy", "testdata", "coredns.yaml")) {
		if _, err := c.of(t, o).Create(t.Context(), o, metav1.CreateOptions{FieldManager: "kubeadm"}); err != nil {
			t.Fatal(err)
		}
	}
	values := map[string]any{"mode": "kubeSystem", "document": read(t, overlays, "kube-system", "clusterset.yaml"), "local": "cluster1"}
	c.install(t, "kube-system", values)
	c.wantCoreDNS(t)
	values["local"] = "cluster2"
	c.upgrade(t, "kube-system", values)
	c.wantCoreDNS(t)
	c.uninstall(t, "kube-system")
	c.wantCoreDNS(t)
}

func (c *cluster) wantCoreDNS(t *testing.T) {
	t.Helper()
	d, err := c.client.AppsV1().Deployments("kube-system").Get(t.Context(), "coredns", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	container := d.Spec.Template.Spec.Containers[0]
	if container.Image != "registry.example/clusterset-coredns:dev" || len(container.Ports) != 3 || container.LivenessProbe == nil {
		t.Errorf("the Deployment's container: %+v", container)
	}
	m, err := c.client.CoreV1().ConfigMaps("kube-system").Get(t.Context(), "coredns", metav1.GetOptions{})
	if err != nil || len(m.Data) != 1 || m.Data["Corefile"] == "" {
		t.Errorf("the Corefile: %v (%v)", m, err)
	}
}

// cluster is a real API, asked as its administrator.
type cluster struct {
	kubeconfig string
	client     kubernetes.Interface
	dynamic    dynamic.Interface
	resources  []*restmapper.APIGroupResources
}

// startAPI runs one cluster of bin/kube until the test ends; see test/kube/README.md.
func startAPI(t *testing.T) *cluster {
	t.Helper()
	command := exec.Command(root+"/bin/kube", "up", "--dir", t.TempDir(), "one")
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatalf("%v: build it with `make bin/kube`", err)
	}
	t.Cleanup(func() {
		_ = stdin.Close() // ends it
		_ = command.Wait()
	})
	c := &cluster{}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		var event struct{ Event, Kubeconfig, Error string }
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil || event.Error != "" {
			t.Fatalf("kube up: %s", lines.Bytes())
		}
		if event.Event == "ready" {
			c.kubeconfig = event.Kubeconfig
		}
		if event.Event == "up" {
			break
		}
	}
	config, err := clientcmd.BuildConfigFromFlags("", c.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	c.client, c.dynamic = kubernetes.NewForConfigOrDie(config), dynamic.NewForConfigOrDie(config)
	if c.resources, err = restmapper.GetAPIGroupResources(c.client.Discovery()); err != nil {
		t.Fatal(err)
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kube-system"}} // the API makes it too, soon
	if _, err := c.client.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
	return c
}

// of is the client of the object's kind, in its namespace.
func (c *cluster) of(t *testing.T, o *unstructured.Unstructured) dynamic.ResourceInterface {
	t.Helper()
	kind := o.GroupVersionKind()
	mapping, err := restmapper.NewDiscoveryRESTMapper(c.resources).RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		t.Fatal(err)
	}
	if o.GetNamespace() == "" {
		return c.dynamic.Resource(mapping.Resource)
	}
	return c.dynamic.Resource(mapping.Resource).Namespace(o.GetNamespace())
}

func (c *cluster) get(t *testing.T, o *unstructured.Unstructured) error {
	t.Helper()
	_, err := c.of(t, o).Get(t.Context(), o.GetName(), metav1.GetOptions{})
	return err
}

func (c *cluster) helm(t *testing.T, namespace string) *action.Configuration {
	t.Helper()
	flags := genericclioptions.NewConfigFlags(false)
	flags.KubeConfig, flags.Namespace = &c.kubeconfig, &namespace
	config := action.NewConfiguration()
	if err := config.Init(flags, namespace, "secret"); err != nil {
		t.Fatal(err)
	}
	return config
}

// install does what "helm install clusterset deploy/helm/clusterset --create-namespace
// --take-ownership --force-conflicts" does.
func (c *cluster) install(t *testing.T, namespace string, values map[string]any) {
	t.Helper()
	install := action.NewInstall(c.helm(t, namespace))
	install.ReleaseName, install.Namespace = "clusterset", namespace
	install.CreateNamespace, install.TakeOwnership, install.ForceConflicts = true, true, true
	install.WaitStrategy = kube.HookOnlyStrategy // no nodes, no pods
	if _, err := install.RunWithContext(t.Context(), load(t), values); err != nil {
		t.Fatalf("install: %v", err)
	}
}

func (c *cluster) upgrade(t *testing.T, namespace string, values map[string]any) {
	t.Helper()
	upgrade := action.NewUpgrade(c.helm(t, namespace))
	upgrade.Namespace, upgrade.ForceConflicts = namespace, true
	upgrade.WaitStrategy = kube.HookOnlyStrategy
	if _, err := upgrade.RunWithContext(t.Context(), "clusterset", load(t), values); err != nil {
		t.Fatalf("upgrade: %v", err)
	}
}

func (c *cluster) uninstall(t *testing.T, namespace string) {
	t.Helper()
	uninstall := action.NewUninstall(c.helm(t, namespace))
	uninstall.WaitStrategy = kube.HookOnlyStrategy
	if _, err := uninstall.Run("clusterset"); err != nil {
		t.Fatalf("uninstall: %v", err)
	}
}
