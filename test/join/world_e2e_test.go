//go:build e2e

// Package join tests kubectl clusterset join, leave, renew and import with real API servers.
package join

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/inventory"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/join"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/leave"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/renew"
	"github.com/coredns-clusterset/clusterset/test/apiserver"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

const (
	system    = "kube-system"
	image     = "registry.example/clusterset-coredns:dev"
	corefile  = ".:53 {\n    clusterset lan\n    kubernetes cluster.local\n}\n"
	settling  = 30 * time.Second
	podSubnet = "networking:\n  podSubnet: %s\n"
)

// world is some clusters, as kubeadm makes them and with clusterset in kube-system's
// CoreDNS, and a kubeconfig with a context for each.
type world struct {
	clusters *apiserver.Clusters
	config   *clientcmdapi.Config
	path     string
	by       map[string]*cluster
}

// cluster is asked as its administrator.
type cluster struct {
	config  *rest.Config
	kube    kubernetes.Interface
	dynamic dynamic.Interface
}

var ranges = []struct{ name, services, pods string }{
	{"cluster1", "10.101.0.0/16", "10.51.0.0/16"},
	{"cluster2", "10.102.0.0/16", "10.52.0.0/16"},
	{"cluster3", "10.103.0.0/16", "10.53.0.0/16"},
}

func start(t *testing.T, n int) *world {
	t.Helper()
	var arguments []string
	for _, r := range ranges[:n] {
		arguments = append(arguments, r.name+"="+r.services)
	}
	w := &world{
		clusters: apiserver.Start(t, arguments...), config: clientcmdapi.NewConfig(),
		path: filepath.Join(t.TempDir(), "kubeconfig"), by: make(map[string]*cluster),
	}
	for _, r := range ranges[:n] {
		w.add(t, r.name)
		w.by[r.name].fill(t, r.services, r.pods)
	}
	w.config.CurrentContext = "cluster1"
	w.write(t)
	return w
}

// add takes the administrator's kubeconfig of a cluster in as a context.
func (w *world) add(t *testing.T, name string) {
	t.Helper()
	one, err := clientcmd.LoadFromFile(w.clusters.Kubeconfig(name))
	must(t, err)
	context := one.Contexts[one.CurrentContext]
	w.config.Clusters[name], w.config.AuthInfos[name] = one.Clusters[context.Cluster], one.AuthInfos[context.AuthInfo]
	w.config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	config, err := clientcmd.BuildConfigFromFlags("", w.clusters.Kubeconfig(name))
	must(t, err)
	config.QPS, config.WarningHandler = -1, rest.NoWarnings{}
	w.by[name] = &cluster{config, kubernetes.NewForConfigOrDie(config), dynamic.NewForConfigOrDie(config)}
}

func (w *world) write(t *testing.T) {
	t.Helper()
	must(t, clientcmd.WriteToFile(*w.config, w.path))
}

// fill makes what kubeadm makes, as far as join reads it.
func (c *cluster) fill(t *testing.T, services, pods string) {
	t.Helper()
	dns := strings.TrimSuffix(services, "0/16") + "10"
	_, err := c.kube.CoreV1().Services(system).Create(t.Context(), &v1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "kube-dns"},
		Spec:       v1.ServiceSpec{ClusterIP: dns, Ports: []v1.ServicePort{{Port: 53, Protocol: v1.ProtocolUDP}}},
	}, metav1.CreateOptions{})
	must(t, err)
	for name, data := range map[string]map[string]string{
		"coredns":        {"Corefile": corefile},
		"kubeadm-config": {"ClusterConfiguration": fmt.Sprintf(podSubnet, pods)},
	} {
		_, err = c.kube.CoreV1().ConfigMaps(system).Create(t.Context(), &v1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: data}, metav1.CreateOptions{})
		must(t, err)
	}
	labels := map[string]string{"k8s-app": "kube-dns"}
	_, err = c.kube.AppsV1().Deployments(system).Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "coredns", Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels}, Replicas: new(int32),
			Template: v1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: v1.PodSpec{
				ServiceAccountName: "coredns", Containers: []v1.Container{{
					Name: "coredns", Image: image, VolumeMounts: []v1.VolumeMount{{Name: "c", MountPath: "/etc/coredns"}},
				}},
				Volumes: []v1.Volume{{Name: "c", VolumeSource: v1.VolumeSource{ConfigMap: &v1.ConfigMapVolumeSource{LocalObjectReference: v1.LocalObjectReference{Name: "coredns"}}}}},
			}},
		},
	}, metav1.CreateOptions{})
	must(t, err)
}

// run runs the program, and returns its exit code and what it said.
func (w *world) run(args ...string) (code int, out, errOut string) {
	var stdout, stderr bytes.Buffer
	c := cli.New(strings.NewReader(""), &stdout, &stderr, "test")
	root := cli.NewRoot(c, inventory.New(c), join.New(c), leave.New(c), renew.New(c))
	code = c.Run(root, append(args, "--kubeconfig", w.path))
	return code, stdout.String(), stderr.String()
}

// want runs it, and fails the test where the code is another.
func (w *world) want(t *testing.T, code int, args ...string) (out, errOut string) {
	t.Helper()
	have, out, errOut := w.run(args...)
	if have != code {
		t.Fatalf("%v: exit code %d, want %d\n%s%s", args, have, code, out, errOut)
	}
	return out, errOut
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	if _, err := harness.Poll(t.Context(), settling, check); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// changing are kinds that control planes change all the time.
var changing = []string{"events", "leases", "leasecandidates"}

// dump returns all objects of a cluster, without what the API writes on each change. Two
// dumps of a cluster that nobody touches are equal.
func (c *cluster) dump(ctx context.Context) (map[string]string, error) {
	lists, err := discovery.NewDiscoveryClientForConfigOrDie(c.config).ServerPreferredResources()
	if err != nil {
		return nil, err
	}
	all := make(map[string]string)
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, resource := range list.APIResources {
			if slices.Contains(changing, resource.Name) || !slices.Contains(resource.Verbs, "list") {
				continue
			}
			if err := c.dumpOf(ctx, version.WithResource(resource.Name), all); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

func (c *cluster) dumpOf(ctx context.Context, resource schema.GroupVersionResource, all map[string]string) error {
	list, err := c.dynamic.Resource(resource).List(ctx, metav1.ListOptions{})
	if apierrors.IsNotFound(err) || apierrors.IsMethodNotSupported(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", resource, err)
	}
	for _, o := range list.Items {
		o.SetResourceVersion("")
		o.SetManagedFields(nil)
		text, err := json.Marshal(o.Object)
		if err != nil {
			return err
		}
		all[resource.Resource+" "+o.GetNamespace()+"/"+o.GetName()] = string(text)
	}
	return nil
}

// settled returns a dump after which nothing changes any more: controllers have made what
// they make in a new cluster.
func (c *cluster) settled(t *testing.T) map[string]string {
	t.Helper()
	var last map[string]string
	eventually(t, "a cluster that is at rest", func() error {
		now, err := c.dump(t.Context())
		if err != nil {
			return err
		}
		if diff := cmp.Diff(last, now); diff != "" {
			last = now
			return fmt.Errorf("changes: %s", diff)
		}
		for _, namespace := range []string{"default", "kube-node-lease", "kube-public", system} {
			if _, is := now["serviceaccounts "+namespace+"/default"]; !is {
				return fmt.Errorf("namespace %s has no ServiceAccount yet", namespace)
			}
		}
		return nil
	})
	return last
}

// wantSame fails the test unless the cluster is, or soon becomes, as before.
func (c *cluster) wantSame(t *testing.T, what string, before map[string]string) {
	t.Helper()
	eventually(t, what, func() error {
		now, err := c.dump(t.Context())
		if err != nil {
			return err
		}
		if diff := cmp.Diff(before, now); diff != "" {
			return fmt.Errorf("isn't as before: %s", diff)
		}
		return nil
	})
}

// settle returns a dump of each cluster.
func (w *world) settle(t *testing.T) map[string]map[string]string {
	t.Helper()
	dumps := make(map[string]map[string]string)
	for name, c := range w.by {
		dumps[name] = c.settled(t)
	}
	return dumps
}

func (w *world) wantSame(t *testing.T, what string, before map[string]map[string]string) {
	t.Helper()
	for name, c := range w.by {
		c.wantSame(t, what+": "+name, before[name])
	}
}
