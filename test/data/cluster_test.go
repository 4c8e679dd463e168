//go:build e2e

package data

import (
	"fmt"
	"testing"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/coredns-clusterset/clusterset/test/apiserver"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

// cluster is a member: an API server with its controllers, and a DNS server.
type cluster struct {
	t     *testing.T
	up    *apiserver.Clusters
	name  string // "c1"
	n     int    // 1
	admin *kubernetes.Clientset
	dns   string // address of its DNS server
}

// startClusters starts API servers for the members c1, c2 and so on, each with the
// objects of fill and a DNS server that knows other addresses for them.
func startClusters(t *testing.T, count int) []*cluster {
	t.Helper()
	var specs []string
	for n := 1; n <= count; n++ {
		specs = append(specs, fmt.Sprintf("c%d=10.%d.0.0/16", n, 100+n))
	}
	up := apiserver.Start(t, specs...)
	var all []*cluster
	for n := 1; n <= count; n++ {
		c := &cluster{t: t, up: up, name: fmt.Sprintf("c%d", n), n: n}
		c.admin = harness.NewClient(t, up.Kubeconfig(c.name))
		c.fill()
		c.dns = startZones(t, c)
		all = append(all, c)
	}
	return all
}

const namespace = "default"

// Services of every member. "who" is in its API and in its DNS.
const (
	who     = "who"  // has a cluster IP
	pods    = "pods" // headless: the controllers make its slices of pods
	nowhere = "nowhere"
)

// ip is the cluster IP of service i: 1 is who's.
func (c *cluster) ip(i int) string { return fmt.Sprintf("10.%d.1.%d", 100+c.n, i) }

// forwardedIP is who's address in the member's DNS.
func (c *cluster) forwardedIP() string { return fmt.Sprintf("10.%d.2.1", 100+c.n) }

func (c *cluster) podIP() string { return fmt.Sprintf("10.%d.0.1", 50+c.n) }

// fill makes the services that every member has, and waits for the controllers.
func (c *cluster) fill() {
	c.t.Helper()
	ctx, core := c.t.Context(), c.admin.CoreV1()
	harness.AwaitNamespace(c.t, c.admin, namespace)
	c.addService(who, 1)
	labels := map[string]string{"app": pods}
	_, err := core.Services(namespace).Create(ctx, &v1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: pods},
		Spec:       v1.ServiceSpec{ClusterIP: v1.ClusterIPNone, Selector: labels, Ports: webPort()},
	}, metav1.CreateOptions{})
	c.must(err)
	// A pod of a node that isn't there is not for the controllers.
	_, err = core.Nodes().Create(ctx, &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node"}}, metav1.CreateOptions{})
	c.must(err)
	c.addPod(labels)
}

// addPod makes a pod that is ready. No kubelet runs it, so its status is written
// here.
func (c *cluster) addPod(labels map[string]string) {
	c.t.Helper()
	api, ctx := c.admin.CoreV1().Pods(namespace), c.t.Context()
	pod, err := api.Create(ctx, &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "pod", Labels: labels},
		Spec:       v1.PodSpec{NodeName: "node", Containers: []v1.Container{{Name: "a", Image: "none"}}},
	}, metav1.CreateOptions{})
	c.must(err)
	pod.Status = v1.PodStatus{
		Phase: v1.PodRunning, PodIP: c.podIP(), PodIPs: []v1.PodIP{{IP: c.podIP()}},
		Conditions: []v1.PodCondition{{Type: v1.PodReady, Status: v1.ConditionTrue}},
	}
	_, err = api.UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	c.must(err)
}

// addService makes one with the cluster IP i.
func (c *cluster) addService(name string, i int) {
	c.t.Helper()
	_, err := c.admin.CoreV1().Services(namespace).Create(c.t.Context(), &v1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       v1.ServiceSpec{ClusterIP: c.ip(i), Ports: webPort()},
	}, metav1.CreateOptions{})
	c.must(err)
}

func (c *cluster) deleteService(name string) {
	c.t.Helper()
	c.must(c.admin.CoreV1().Services(namespace).Delete(c.t.Context(), name, metav1.DeleteOptions{}))
}

func webPort() []v1.ServicePort { return []v1.ServicePort{{Name: "http", Port: 80}} }

// kubeconfig is the text of the administrator's.
func (c *cluster) kubeconfig() string {
	c.t.Helper()
	return harness.ReadFile(c.t, c.up.Kubeconfig(c.name))
}

func (c *cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatalf("%s: %v", c.name, err)
	}
}
