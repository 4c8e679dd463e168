//go:build e2e && linux

package check

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/test/harness"
	"github.com/coredns-clusterset/clusterset/test/world"
)

const system = metav1.NamespaceSystem

// bench is where things are broken: in cluster1, whose CoreDNS is checked, or in its member
// cluster2.
type bench struct {
	t        *testing.T
	w        *world.World
	one, two *world.Cluster
	kept     *appsv1.Deployment // that a way has removed
}

// way is one of breaking it. first is the check that names it, says a part of its reason; also
// are findings that may be beside it.
type way struct {
	name        string
	first, says string
	breakIt     func(*bench)
	mend        func(*bench)
	also        []string
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) run(args ...string) {
	b.t.Helper()
	if r := b.w.Clusterset(args...); r.Code != 0 {
		b.t.Fatalf("%v: %s", args, r.Said())
	}
}

// join mends what join makes.
func (b *bench) join() { b.run("join", "cluster2", "--from-context", "cluster2") }

// joinAnother is join where the member was another cluster, of which it warns.
func (b *bench) joinAnother() {
	b.t.Helper()
	if r := b.w.Clusterset("join", "cluster2", "--from-context", "cluster2"); r.Code != cli.Degraded {
		b.t.Fatalf("join of another cluster: %s", r.Said())
	}
}

func (b *bench) deleteIn(c *world.Cluster, kind, name string) {
	b.t.Helper()
	background := metav1.DeletePropagationBackground
	options := metav1.DeleteOptions{PropagationPolicy: &background}
	var err error
	switch kind {
	case "account":
		err = c.Client.CoreV1().ServiceAccounts(system).Delete(b.t.Context(), name, options)
	case "role":
		err = c.Client.RbacV1().Roles(system).Delete(b.t.Context(), name, options)
	case "binding":
		err = c.Client.RbacV1().RoleBindings(system).Delete(b.t.Context(), name, options)
	case "clusterbinding":
		err = c.Client.RbacV1().ClusterRoleBindings().Delete(b.t.Context(), name, options)
	case "secret":
		err = c.Client.CoreV1().Secrets(system).Delete(b.t.Context(), name, options)
	case "cronjob":
		err = c.Client.BatchV1().CronJobs(system).Delete(b.t.Context(), name, options)
	case "service":
		err = c.Client.CoreV1().Services(system).Delete(b.t.Context(), name, options)
	case "configmap":
		err = c.Client.CoreV1().ConfigMaps(system).Delete(b.t.Context(), name, options)
	case "daemonset":
		err = c.Client.AppsV1().DaemonSets(system).Delete(b.t.Context(), name, options)
	default:
		b.t.Fatalf("%s: no such kind here", kind)
	}
	b.must(err)
}

// key sets a key of a ConfigMap of cluster1; "" removes it.
func (b *bench) key(configMap, key, text string) {
	b.t.Helper()
	value := &text
	if text == "" {
		value = nil
	}
	b.must(b.one.PatchConfigMap(configMap, map[string]*string{key: value}))
}

// entry changes cluster2's entry.
func (b *bench) entry(old, new string) {
	b.t.Helper()
	text := b.read("clusterset", "cluster2.yaml")
	if !strings.Contains(text, old) {
		b.t.Fatalf("no %q in %s", old, text)
	}
	b.key("clusterset", "cluster2.yaml", strings.ReplaceAll(text, old, new))
}

func (b *bench) read(configMap, key string) string {
	b.t.Helper()
	m, err := b.one.Client.CoreV1().ConfigMaps(system).Get(b.t.Context(), configMap, metav1.GetOptions{})
	b.must(err)
	return m.Data[key]
}

// corefile changes the Corefile of the ConfigMap; the replicas go on with theirs.
func (b *bench) corefile(old, new string) {
	b.t.Helper()
	text := b.read("coredns", "Corefile")
	if !strings.Contains(text, old) {
		b.t.Fatalf("no %q in %s", old, text)
	}
	b.key("coredns", "Corefile", strings.Replace(text, old, new, 1))
}

func (b *bench) mendCorefile() { b.key("coredns", "Corefile", b.one.Replicas[0].DefaultCorefile()) }

// kubeconfig puts another one into cluster2's Secret.
func (b *bench) kubeconfig(change func(string) string) {
	b.t.Helper()
	s, err := b.one.Client.CoreV1().Secrets(system).Get(b.t.Context(), "cluster2-kubeconfig", metav1.GetOptions{})
	b.must(err)
	s.Data["value"] = []byte(change(string(s.Data["value"])))
	_, err = b.one.Client.CoreV1().Secrets(system).Update(b.t.Context(), s, metav1.UpdateOptions{})
	b.must(err)
}

// memberUID writes down another uid as the one that cluster2 had when it joined.
func (b *bench) memberUID(uid string) {
	b.t.Helper()
	patch := fmt.Sprintf(`{"metadata":{"annotations":{"clusterset/member-uid":%q}}}`, uid)
	_, err := b.one.Client.CoreV1().Secrets(system).Patch(b.t.Context(), "cluster2-kubeconfig", types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	b.must(err)
}

// setCorefiles has the ConfigMap and all replicas have another Corefile.
func (b *bench) setCorefiles(change func(string) string) {
	b.t.Helper()
	for _, r := range b.one.Replicas {
		r.SetCorefile(change(r.DefaultCorefile()))
	}
	b.key("coredns", "Corefile", change(b.one.Replicas[0].DefaultCorefile()))
}

// ended is a token whose claims say that it ended long ago.
func ended(kubeconfig string) string {
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"iat":1700000000,"exp":1700003600}`))
	var lines []string
	for line := range strings.Lines(kubeconfig) {
		if before, _, is := strings.Cut(line, "token: "); is {
			line = before + "token: e30." + claims + ".c2ln\n"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "")
}

// bindAdmin gives an account all rights.
func (b *bench) bindAdmin(c *world.Cluster, account string) {
	b.t.Helper()
	_, err := c.Client.RbacV1().ClusterRoleBindings().Create(b.t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "too-much"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: system, Name: account}},
	}, metav1.CreateOptions{})
	b.must(err)
}

// dnsService makes cluster2's DNS service anew at another address.
func (b *bench) dnsService(address string) {
	b.t.Helper()
	services := b.two.Client.CoreV1().Services(system)
	s, err := services.Get(b.t.Context(), "kube-dns", metav1.GetOptions{})
	b.must(err)
	b.deleteIn(b.two, "service", "kube-dns")
	s.ResourceVersion, s.UID = "", ""
	s.Spec.ClusterIP, s.Spec.ClusterIPs = address, []string{address}
	_, err = harness.Poll(b.t.Context(), settling, func() error {
		_, err := services.Create(b.t.Context(), s.DeepCopy(), metav1.CreateOptions{})
		return err
	})
	b.must(err)
}

// pod sets whether a replica's pod is ready, for all that the API knows.
func (b *bench) pod(name string, ready v1.ConditionStatus) {
	b.t.Helper()
	patch := fmt.Sprintf(`{"status":{"conditions":[{"type":"Ready","status":%q}]}}`, ready)
	_, err := b.one.Client.CoreV1().Pods(system).Patch(b.t.Context(), name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
	b.must(err)
}

// rbac is what deploy/kustomize/kube-system gives CoreDNS.
func (b *bench) rbac() {
	b.t.Helper()
	b.must(b.one.Apply(harness.ReadFile(b.t, harness.Root()+"/deploy/kustomize/kube-system/rbac.yaml")))
}

const nodeLocal = `
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: node-local-dns, namespace: kube-system}
spec:
  selector: {matchLabels: {k8s-app: node-local-dns}}
  template:
    metadata: {labels: {k8s-app: node-local-dns}}
    spec: {containers: [{name: node-cache, image: registry.k8s.io/dns/k8s-dns-node-cache:1.26.4}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: node-local-dns, namespace: kube-system}
data:
  Corefile: |
    cluster.local:53 {
        errors
        cache { success 9984 30
                denial 9984 5 }
        reload
        bind 169.254.20.10 10.101.0.10
        forward . __PILLAR__CLUSTER__DNS__ {
            force_tcp
        }
    }
    .:53 {
        errors
        forward . __PILLAR__UPSTREAM__SERVERS__
    }
`

// mendDeployment makes the Deployment that was removed.
func (b *bench) mendDeployment() {
	b.t.Helper()
	d := b.kept.DeepCopy()
	d.ResourceVersion, d.UID = "", ""
	_, err := b.one.Client.AppsV1().Deployments(system).Create(b.t.Context(), d, metav1.CreateOptions{})
	b.must(err)
}

// mendPods gives cluster2 its pod CIDRs back.
func (b *bench) mendPods() {
	b.entry("podCIDRs: [10.103.0.0/24]", "podCIDRs: [10.52.0.0/16]")
}
