//go:build e2e

package oracle

import (
	"fmt"
	"testing"

	"github.com/miekg/dns"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

const podsNamespace = "made"

// pod is one of a StatefulSet "db". No kubelet runs it: its status is written by
// hand, and kube-controller-manager makes the EndpointSlices.
type pod struct {
	name          string
	ready, ending bool
}

var pods = []pod{{name: "db-0", ready: true}, {name: "db-1"}, {name: "db-2", ready: true, ending: true}}

// fillPods makes pods and Services that select them, and waits for the slices.
func (a *api) fillPods() {
	a.t.Helper()
	dual := families(v1.IPFamilyPolicyRequireDualStack, v1.IPv4Protocol, v1.IPv6Protocol)
	for _, s := range []*v1.Service{
		service(podsNamespace, "db", headless, selecting("db"), dual, ports("pg/TCP/5432")),
		service(podsNamespace, "db-all", headless, selecting("db"), notReadyToo, dual, ports("pg/TCP/5432")),
		service(podsNamespace, "db-vip", selecting("db"), dual, ports("pg/TCP/5432")),
		service(podsNamespace, "none", headless, selecting("none"), web),
	} {
		delete(s.Labels, byHand)
		a.createService(s)
	}
	_, err := a.client.CoreV1().Nodes().Create(a.t.Context(), &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node"}}, metav1.CreateOptions{})
	a.must(err)
	for i, p := range pods {
		a.createPod(i, p)
	}
	harness.Eventually(a.t, limit, "the controller's slices", a.podsAreInSlices)
}

func (a *api) createPod(i int, p pod) {
	a.t.Helper()
	api, ctx := a.client.CoreV1().Pods(podsNamespace), a.t.Context()
	made, err := api.Create(ctx, &v1.Pod{
		// The finalizer keeps a pod that ends.
		ObjectMeta: metav1.ObjectMeta{Name: p.name, Labels: map[string]string{"app": "db"}, Finalizers: []string{"oracle.test/keep"}},
		Spec: v1.PodSpec{
			NodeName: "node", Hostname: p.name, Subdomain: "db",
			Containers: []v1.Container{{Name: "db", Image: "none"}},
		},
	}, metav1.CreateOptions{})
	a.must(err)
	status := v1.ConditionFalse
	if p.ready {
		status = v1.ConditionTrue
	}
	four, six := fmt.Sprintf("10.51.20.%d", i), fmt.Sprintf("fd00:51::20:%d", i)
	made.Status = v1.PodStatus{
		Phase: v1.PodRunning, PodIP: four, PodIPs: []v1.PodIP{{IP: four}, {IP: six}},
		Conditions: []v1.PodCondition{{Type: v1.PodReady, Status: status}},
	}
	_, err = api.UpdateStatus(ctx, made, metav1.UpdateOptions{})
	a.must(err)
	if p.ending {
		a.must(api.Delete(ctx, p.name, metav1.DeleteOptions{GracePeriodSeconds: new(int64(600))}))
	}
}

// podsAreInSlices is nil when the controller has said all it will: that a pod
// ends is the last.
func (a *api) podsAreInSlices() error {
	list, err := a.client.DiscoveryV1().EndpointSlices(podsNamespace).List(a.t.Context(), metav1.ListOptions{})
	if err != nil {
		return err
	}
	endpoints, ending := 0, 0
	for _, s := range list.Items {
		for _, e := range s.Endpoints {
			endpoints++
			if isTrue(e.Conditions.Terminating) && isTrue(e.Conditions.Serving) {
				ending++
			}
		}
	}
	const slices = 3 * 2 // of the Services with pods, each of two families
	if endpoints != slices*len(pods) || ending != slices {
		return fmt.Errorf("%d endpoints, %d terminating and serving, of %d slices", endpoints, ending, len(list.Items))
	}
	return nil
}

func isTrue(b *bool) bool { return b != nil && *b }

// TestPodNames: where the member's kubernetes has endpoint_pod_names, and the document
// says so, data give an endpoint without a hostname its pod's name, as forwarding does.
func TestPodNames(t *testing.T) {
	a := startAPI(t)
	a.fill()
	theirs := startOracle(t, a.kubeconfig, "endpoint_pod_names")
	var all []*comparison
	for _, mode := range []string{"forward", "resolve"} {
		all = append(all, newComparison(t, mode, theirs, startOurs(t, mode, a.kubeconfig, theirs.addr, "endpointPodNames: true")))
	}
	a.settle(0, all...)
	asked, differences := compareBy(plain, namesOf(all[0].objects).brief(), all...)
	t.Logf("%d questions, %d differences", asked, len(differences))
	for _, text := range report(differences) {
		t.Error(text)
	}
	// Of a Service that isn't their subdomain, pods' hostnames aren't in the slices.
	q := question{prefix: "db-0.db-vip." + podsNamespace + ".svc.", qtype: dns.TypeA}
	for _, c := range all {
		if m, err := exchange(plain, c.ours.addr, q.ourName(), q.qtype); err != nil || len(m.Answer) != 1 {
			t.Errorf("%s: %v: %v, %v", c.mode, q, m, err)
		}
	}
}
