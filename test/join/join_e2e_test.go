//go:build e2e

package join

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/credentials"
)

var joinTwo = []string{"join", "cluster2", "--from-context", "cluster2", "--allow-loopback"}

const entryTwo = "# Made by `kubectl clusterset join`; `kubectl clusterset leave` removes it.\n" + `apiVersion: clusterset/v1alpha1
kind: ClusterSet
clusters:
- name: cluster2
  serviceCIDRs: [10.102.0.0/16]
  podCIDRs: [10.52.0.0/16]
  kubeconfig: {secret: kube-system/cluster2-kubeconfig}
`

// TestJoinLeave: joined, a member's data can be read with what is in the Secret; joined again,
// nothing changes; and after leave both clusters are as before.
func TestJoinLeave(t *testing.T) {
	w := start(t, 2)
	before := w.settle(t)
	one := w.by["cluster1"]

	out, errOut := w.want(t, cli.Good, joinTwo...)
	if want := "cluster2: joined to context cluster1\n"; out != want {
		t.Errorf("have %q, want %q", out, want)
	}
	if want := "cluster2 in context cluster1: reader, credential, renewal, entry created\n"; errOut != want {
		t.Errorf("have %q, want %q", errOut, want)
	}
	if diff := cmp.Diff(map[string]string{"cluster2.yaml": entryTwo}, one.configMap(t, "clusterset").Data); diff != "" {
		t.Error(diff)
	}
	one.wantReads(t, "cluster2")

	joined := w.settle(t)
	out, errOut = w.want(t, cli.Good, joinTwo...)
	if want := "cluster2: joined to context cluster1; nothing had to be changed\n"; out != want {
		t.Errorf("have %q, want %q", out, want)
	}
	if want := "cluster2 in context cluster1: unchanged\n"; errOut != want {
		t.Errorf("again: have %q, want %q", errOut, want)
	}
	w.wantSame(t, "joined again", joined)

	_, errOut = w.want(t, cli.Good, "leave", "cluster2")
	if want := "context cluster2: mark of cluster2, reader removed\ncontext cluster1: entry, credential, renewal removed\n"; errOut != want {
		t.Errorf("have %q, want %q", errOut, want)
	}
	w.wantSame(t, "left", before)
	_, errOut = w.want(t, cli.Failed, "leave", "cluster2")
	if !strings.Contains(errOut, "isn't joined") {
		t.Errorf("left again: %s", errOut)
	}
}

func (c *cluster) configMap(t *testing.T, name string) *v1.ConfigMap {
	t.Helper()
	m, err := c.kube.CoreV1().ConfigMaps(system).Get(t.Context(), name, metav1.GetOptions{})
	must(t, err)
	return m
}

// kubeconfig is what join made for a member.
func (c *cluster) kubeconfig(t *testing.T, member string) []byte {
	t.Helper()
	s, err := c.kube.CoreV1().Secrets(system).Get(t.Context(), member+"-kubeconfig", metav1.GetOptions{})
	must(t, err)
	return s.Data["value"]
}

// wantReads: the kubeconfig is one that CoreDNS takes, and reads with it what CoreDNS reads.
func (c *cluster) wantReads(t *testing.T, member string) {
	t.Helper()
	of := credentials.Credentials{Kubeconfig: c.kubeconfig(t, member)}
	config, err := of.RESTConfig()
	must(t, err)
	kube := kubernetes.NewForConfigOrDie(config)
	eventually(t, "reading "+member, func() error {
		_, err := kube.CoreV1().Services(metav1.NamespaceAll).List(t.Context(), metav1.ListOptions{})
		if err == nil {
			_, err = kube.DiscoveryV1().EndpointSlices(metav1.NamespaceAll).List(t.Context(), metav1.ListOptions{})
		}
		return err
	})
	if _, err := kube.CoreV1().Secrets(metav1.NamespaceAll).List(t.Context(), metav1.ListOptions{}); err == nil {
		t.Errorf("the credential of %s reads Secrets", member)
	}
}

// TestJoinKeepsOthers: what others wrote in the ConfigMap stays, on join and on leave.
func TestJoinKeepsOthers(t *testing.T) {
	w := start(t, 2)
	one := w.by["cluster1"]
	const byHand = "apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters:\n- {name: other, serviceCIDRs: [10.99.0.0/16]}\n"
	_, err := one.kube.CoreV1().ConfigMaps(system).Create(t.Context(), &v1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "clusterset"}, Data: map[string]string{"mine.yaml": byHand, "note": "keep"},
	}, metav1.CreateOptions{})
	must(t, err)
	before := w.settle(t)
	w.want(t, cli.Good, joinTwo...)
	if have := one.configMap(t, "clusterset").Data; len(have) != 3 || have["mine.yaml"] != byHand || have["cluster2.yaml"] != entryTwo {
		t.Errorf("have %q", have)
	}
	w.want(t, cli.Good, "leave", "cluster2")
	w.wantSame(t, "left", before)

	_, errOut := w.want(t, cli.Failed, "join", "other", "--from-context", "cluster2", "--allow-loopback")
	if !strings.Contains(errOut, `"other"`) || !strings.Contains(errOut, "nothing is changed") {
		t.Errorf("a name that is taken: %s", errOut)
	}
	_, errOut = w.want(t, cli.Failed, "leave", "other")
	if !strings.Contains(errOut, "mine.yaml, which join didn't make") {
		t.Errorf("leave of what join didn't make: %s", errOut)
	}
	w.wantSame(t, "refused", before)

	_, errOut = w.want(t, cli.Degraded, append(joinTwo, "--pod-cidrs", "10.99.1.0/24")...)
	if !strings.Contains(errOut, "overlap") {
		t.Errorf("overlapping CIDRs: %s", errOut)
	}
}

// TestShared: the member's reader is of all clusters that joined it, and goes with the last.
func TestShared(t *testing.T) {
	w := start(t, 3)
	before := w.settle(t)
	w.want(t, cli.Good, joinTwo...)
	w.want(t, cli.Good, append(joinTwo, "--context", "cluster3")...)
	w.by["cluster3"].wantReads(t, "cluster2")
	w.want(t, cli.Good, "leave", "cluster2")
	w.by["cluster1"].wantSame(t, "left", before["cluster1"])
	w.by["cluster3"].wantReads(t, "cluster2")
	w.want(t, cli.Good, "leave", "cluster2", "--context", "cluster3")
	w.wantSame(t, "both left", before)
}

// TestAnother: who joins another cluster under a name that is taken is warned, and takes it back
// by joining the right one.
func TestAnother(t *testing.T) {
	w := start(t, 3)
	before := w.settle(t)
	w.want(t, cli.Good, joinTwo...)
	other := append([]string{"join", "cluster2", "--from-context", "cluster3"}, joinTwo[4:]...)
	for range 2 {
		if _, errOut := w.want(t, cli.Degraded, other...); !strings.Contains(errOut, "cluster2 was another cluster in context cluster1: the uid of its kube-system was ") {
			t.Errorf("another cluster: %s", errOut)
		}
		other = joinTwo
	}
	w.want(t, cli.Good, joinTwo...)
	w.want(t, cli.Good, "leave", "cluster2")
	for _, of := range []string{"cluster1", "cluster2"} {
		w.by[of].wantSame(t, "left", before[of])
	}
}

// TestEach: each joins each, and none needs a credential for itself.
func TestEach(t *testing.T) {
	w := start(t, 3)
	before := w.settle(t)
	all := []string{"cluster1", "cluster2", "cluster3"}
	w.want(t, cli.Good, "join", "--contexts", strings.Join(all, ","), "--allow-loopback")
	for _, here := range all {
		for _, member := range all {
			entry := w.by[here].configMap(t, "clusterset").Data[member+".yaml"]
			if strings.Contains(entry, "kubeconfig:") == (here == member) {
				t.Errorf("%s in %s: %s", member, here, entry)
			}
			if here != member {
				w.by[here].wantReads(t, member)
			}
		}
	}
	for _, here := range all {
		for _, member := range all {
			w.want(t, cli.Good, "leave", member, "--context", here)
		}
	}
	w.wantSame(t, "all left", before)
}

// TestGone: with the other cluster gone leave changes nothing, unless it is forced; and then
// it says what stays.
func TestGone(t *testing.T) {
	w := start(t, 2)
	before := w.settle(t)
	w.want(t, cli.Good, joinTwo...)
	joined := w.by["cluster1"].settled(t)
	w.clusters.Stop("cluster2")
	const stays = "kubectl -n kube-system annotate serviceaccount clusterset-reader used-by.clusterset/"
	_, errOut := w.want(t, cli.Failed, "leave", "cluster2")
	if !strings.Contains(errOut, "Nothing is changed") || !strings.Contains(errOut, stays) {
		t.Errorf("have %s", errOut)
	}
	w.by["cluster1"].wantSame(t, "refused", joined)
	_, errOut = w.want(t, cli.Degraded, "leave", "cluster2", "--force")
	if !strings.Contains(errOut, stays) {
		t.Errorf("forced: have %s", errOut)
	}
	w.by["cluster1"].wantSame(t, "forced", before["cluster1"])
	w.clusters.Start("cluster2")
	w.want(t, cli.Good, "leave", "cluster2", "--from-context", "cluster2")
	w.wantSame(t, "it is back", before)
}

// TestRefused: what can't be right is refused before anything is made.
func TestRefused(t *testing.T) {
	w := start(t, 2)
	before := w.settle(t)
	for _, c := range []struct {
		code int
		args string
		says string
	}{
		{cli.WrongUsage, "join cluster2", "--from-context is missing"},
		{cli.WrongUsage, "join", "NAME or --contexts is missing"},
		{cli.WrongUsage, "join --contexts cluster1", "at least two"},
		{cli.WrongUsage, "join --contexts cluster1,cluster2 --names a", "1 for 2 contexts"},
		{cli.WrongUsage, "join --contexts cluster1,cluster2 --dns 10.0.0.1", "is of one member"},
		{cli.WrongUsage, "join c2 --from-context cluster2 --dry-run=maybe", "none, client or server"},
		{cli.WrongUsage, "join c2 --from-context cluster2 --token-duration 1s", "at least 10m"},
		{cli.WrongUsage, "join c2 --dns-only", "--service-cidrs is missing"},
		{cli.WrongUsage, "join c2 --from-context cluster2 --allow-loopback --configmap x", "NAMESPACE/NAME"},
		{cli.Failed, "join c2 --from-context nowhere", `context "nowhere"`},
		{cli.Failed, "join c2 --from-context cluster2", "--server https://HOST:PORT"},
		{cli.Failed, "join c2 --from-context cluster2 --server http://api.example", "must be https://"},
		{cli.Failed, "join C2 --from-context cluster2 --allow-loopback", "RFC 1123"},
		{cli.Failed, "join c2 --from-context cluster2 --allow-loopback --service-cidrs 10.102.0.0/33", "not a CIDR"},
		{cli.WrongUsage, "renew", "NAME... or --all"},
		{cli.Failed, "renew cluster2", "no Secret kube-system/cluster2-kubeconfig"},
	} {
		_, errOut := w.want(t, c.code, strings.Fields(c.args)...)
		if !strings.Contains(errOut, c.says) {
			t.Errorf("%s: have %s, want %q", c.args, errOut, c.says)
		}
	}
	w.wantSame(t, "refused", before)
	w.want(t, cli.Good, "join", "c2", "--dns-only", "--service-cidrs", "10.102.0.0/16", "--dns", "10.102.0.53", "--region", "kr")
	w.by["cluster2"].wantSame(t, "--dns-only", before["cluster2"])
	w.want(t, cli.Good, "leave", "c2")
	w.wantSame(t, "left", before)
}

// TestRejoinKeeps: what somebody wrote into an entry stays, unless the member's API or the
// command line knows better.
func TestRejoinKeeps(t *testing.T) {
	w := start(t, 2)
	one := w.by["cluster1"]
	w.want(t, cli.Good, append(joinTwo, "--region", "kr", "--dns", "tcp://10.102.0.10")...)
	m := one.configMap(t, "clusterset")
	edited := strings.Replace(m.Data["cluster2.yaml"], "  region: kr\n", "  gateways: [203.0.113.10]\n  namespaces: [shop]\n  region: kr\n", 1)
	m.Data["cluster2.yaml"] = strings.Replace(edited, "10.102.0.0/16", "10.199.0.0/16", 1)
	_, err := one.kube.CoreV1().ConfigMaps(system).Update(t.Context(), m, metav1.UpdateOptions{})
	must(t, err)
	if code, _, errOut := w.run(joinTwo...); code == cli.Failed {
		t.Fatal(errOut)
	}
	if diff := cmp.Diff(edited, one.configMap(t, "clusterset").Data["cluster2.yaml"]); diff != "" {
		t.Error(diff)
	}
	w.want(t, cli.Good, "leave", "cluster2")
}
