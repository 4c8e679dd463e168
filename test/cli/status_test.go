//go:build e2e && linux

package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	authentication "k8s.io/api/authentication/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/test/harness"
	"github.com/coredns-clusterset/clusterset/test/world"
)

// TestStatus follows three clusters from nothing on, through what can go wrong.
func TestStatus(t *testing.T) {
	s := newStory(t)
	here := s.Cluster("cluster1")

	s.want(0, words("status"), "Nothing is joined yet")
	s.want(0, words("status --wait 1m"), "Nothing is joined yet")

	s.must(words("join --contexts cluster1,cluster2")...)
	s.rows(s.must(words("status --wait 2m")...), "cluster1 (here)", "cluster2")
	s.must(words("status")...)
	s.want(0, words("status -o short"), "clusterset ok: 2 of 2 members ok, 2 of 2 replicas answer")
	s.wantJSON()

	s.replicaGone(here.Replicas[1])
	s.replicaBehind(here.Replicas[1])
	s.badDocument(here)
	s.strangers(here)
}

// row is a line of the table that is in good health.
var row = regexp.MustCompile(`(?m)^(cluster\d(?: \(here\))?) +default +(?:up|idle|here) +\S+ +fresh +\S+ +\d+ +\d+ +2/2$`)

func (s *story) rows(r world.Result, names ...string) {
	s.Helper()
	var have []string
	for _, m := range row.FindAllStringSubmatch(r.Out, -1) {
		have = append(have, m[1])
	}
	if strings.Join(have, ",") != strings.Join(names, ",") {
		s.Errorf("rows in good health %q, want %q:\n%s", have, names, r.Out)
	}
}

func (s *story) wantJSON() {
	s.Helper()
	var report struct {
		Health   string
		Replicas []struct{ Name string }
	}
	out := s.must(words("status -o json")...).Out
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.Health != "ok" || len(report.Replicas) != 2 {
		s.Errorf("%v: %+v", err, report)
	}
}

// replicaGone: one that is dead is a line, and the others are shown.
func (s *story) replicaGone(r *world.Replica) {
	s.Helper()
	r.Kill()
	about := "replica " + r.Pod() + ": gives no status: nothing listens at the status port"
	s.want(1, words("status"), "! "+about, "cluster2", "1/2")
	s.want(1, words("status --wait 2s"), "Waiting (0s) for replica "+r.Pod()+": nothing listens at the status port")
	s.want(0, words("lookup web.shop.cluster2.lan -o short"), "10.102.0.20")
	s.want(1, words("lookup web.shop.cluster2.lan --all-replicas -o short"), "10.102.0.20", r.Pod()+": nothing listens")
	r.Start()
	s.must(words("status --wait 2m")...)
}

// replicaBehind: one that doesn't hear of a change has other documents in force, is named,
// and is waited for.
func (s *story) replicaBehind(r *world.Replica) {
	s.Helper()
	r.API.Silence()
	document := "apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters:\n- name: cluster3\n  serviceCIDRs: [10.103.0.0/16]\n"
	s.patch(r.Cluster, "cluster3.yaml", &document)
	harness.Eventually(s.T, harness.StartLimit, "status", func() error {
		r := s.Clusterset("status", "-o", "short")
		if !strings.Contains(r.Out, "of 3 members") {
			return fmt.Errorf("no third member yet: %s", r.Said())
		}
		return nil
	})
	s.want(1, words("status"), "replica "+r.Pod()+": has other documents in force than configmap kube-system/clusterset has now",
		"member cluster3: is known to 1 of 2 replicas", "1/2")

	waiting := s.Command(s.Kubeconfig, "status", "--wait", "2m")
	progress, err := waiting.StderrPipe()
	if err != nil {
		s.Fatal(err)
	}
	if err := waiting.Start(); err != nil {
		s.Fatal(err)
	}
	lines := bufio.NewScanner(progress)
	if !lines.Scan() || !strings.HasSuffix(lines.Text(), "to be in force on every replica: it is on 1 of 2") {
		s.Errorf("the wait says %q", lines.Text())
	}
	r.API.Resume()
	for lines.Scan() {
	}
	if err := waiting.Wait(); err != nil {
		s.Errorf("the wait, after the replica heard of it: %v", err)
	}
	s.want(0, words("lookup web.shop.cluster3.lan --all-replicas"), "10.103.0.20")
	s.patch(r.Cluster, "cluster3.yaml", nil)
	s.must(words("status --wait 2m")...)
}

// badDocument: its finding is shown, with the place, and the last good one is in force.
func (s *story) badDocument(c *world.Cluster) {
	s.Helper()
	document := "apiVersion: clusterset/v1alpha1\nkind: ClusterSet\nclusters:\n- name: cluster8\n  serviceCIDRs: [10.108.0.0/33]\n"
	s.patch(c, "cluster8.yaml", &document)
	harness.Eventually(s.T, harness.StartLimit, "status", func() error {
		if r := s.Clusterset("status"); strings.Count(r.Out, "cluster8.yaml: clusters[0].serviceCIDRs[0]") != 1 || r.Code != 1 {
			return fmt.Errorf("no finding yet: %s", r.Said())
		}
		return nil
	})
	s.want(1, words("status --wait 2s"), "not within 2s")
	s.patch(c, "cluster8.yaml", nil)
	s.must(words("status --wait 2m")...)
}

// strangers: who may do too little is told what is missing.
func (s *story) strangers(c *world.Cluster) {
	s.Helper()
	for name, rules := range map[string]string{
		"nobody": "[]",
		"reader": `
- {apiGroups: [apps], resources: [deployments], verbs: [get, list]}
- {apiGroups: [""], resources: [pods, configmaps], verbs: [get, list]}`,
	} {
		if err := c.Apply(strings.NewReplacer("NAME", name, "RULES", rules).Replace(stranger)); err != nil {
			s.Fatal(err)
		}
	}
	args := words("status")
	s.has(s.ClustersetAs(s.tokenOf(c, "nobody"), args...), 2, args, "error: deployments in kube-system: ", "cannot list resource \"deployments\"")
	s.has(s.ClustersetAs(s.tokenOf(c, "reader"), args...), 2, args, "gives no status: port forwarding: ", "resource \"pods/portforward\"", "none gives its status")
}

// stranger is a user with rights everywhere.
const stranger = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: NAME, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: NAME}
rules: RULES
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: NAME}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: NAME}
subjects: [{kind: ServiceAccount, name: NAME, namespace: default}]
`

// tokenOf returns the path of a kubeconfig of a ServiceAccount.
func (s *story) tokenOf(c *world.Cluster, account string) string {
	s.Helper()
	token, err := c.Client.CoreV1().ServiceAccounts(v1.NamespaceDefault).
		CreateToken(s.Context(), account, &authentication.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		s.Fatal(err)
	}
	return c.KubeconfigOf(token.Status.Token)
}

func (s *story) patch(c *world.Cluster, key string, text *string) {
	s.Helper()
	if err := c.PatchConfigMap("clusterset", map[string]*string{key: text}); err != nil {
		s.Fatal(err)
	}
}
