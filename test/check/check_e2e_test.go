//go:build e2e && linux

package check

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
	"github.com/coredns-clusterset/clusterset/test/harness"
	"github.com/coredns-clusterset/clusterset/test/world"
)

func TestMain(m *testing.M) {
	world.Enter()
	m.Run()
}

// settling is for what replicas learn of a member; a machine that is busy may take as long.
const settling = time.Minute

// line is one of check's that isn't good.
type line struct{ ID, Subject, Result, Error, LeadsTo, Mend, Hint string }

func (l line) String() string {
	return strings.TrimSuffix(l.ID+" "+l.Subject, " ")
}

// findings are the lines that aren't good, in their order, and how check ended.
func findings(t *testing.T, w *world.World, args ...string) ([]line, world.Result) {
	t.Helper()
	r := w.Clusterset(append([]string{"check", "-o", "json"}, args...)...)
	var report struct{ Categories []struct{ Checks []line } }
	if err := json.Unmarshal([]byte(r.Out), &report); err != nil {
		t.Fatalf("%v\n%s", err, r.Said())
	}
	var all []line
	for _, category := range report.Categories {
		for _, l := range category.Checks {
			if l.Result == "error" || l.Result == "warning" {
				all = append(all, l)
			}
		}
	}
	return all, r
}

// awaitGood waits till check finds nothing.
func awaitGood(t *testing.T, w *world.World) {
	t.Helper()
	_, err := harness.Poll(t.Context(), settling, func() error {
		if r := w.Clusterset("check"); r.Code != 0 || !strings.Contains(r.Out, "all good") {
			return fmt.Errorf("check: %s", r.Said())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestCheck: joined, all is good. Broken in one way, that is what check names first, with
// why, what it leads to and what mends it; mended, all is good again.
func TestCheck(t *testing.T) {
	w := world.Start(t)
	b := &bench{t: t, w: w, one: w.Cluster("cluster1"), two: w.Cluster("cluster2")}

	none, r := findings(t, w)
	if len(none) != 1 || none[0].ID != "CS301" {
		t.Errorf("nothing is joined: have %v\n%s", none, r.Said())
	}
	before := w.Clusterset("check", "--pre")
	if before.Code != 0 {
		t.Errorf("--pre: %s", before.Said())
	}
	if r := w.Clusterset("check", "--context", "none", "-o", "short"); r.Code != 2 || !strings.Contains(r.Out, "CS101") {
		t.Errorf("no such context: %s", r.Said())
	}
	b.run("join", "--contexts", "cluster1,cluster2,cluster3")
	awaitGood(t, w)
	b.wantFewRights()
	b.wantViewer()
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			b.t = t
			way.breakIt(b)
			b.wantFirst(strings.Replace(way.first, "PODTWO", b.one.Replicas[1].Pod(), 1), way.says, way.also...)
			way.mend(b)
			awaitGood(t, w)
		})
	}
	b.t = t
	b.wantBefore()
}

// wantFirst waits till the first finding is the one, and no other is there but those that may
// be.
func (b *bench) wantFirst(first, says string, also ...string) {
	b.t.Helper()
	var said string
	_, err := harness.Poll(b.t.Context(), settling, func() error {
		all, r := findings(b.t, b.w)
		said = r.Said()
		if len(all) == 0 || all[0].String() != first {
			return fmt.Errorf("have %v, want %s first", all, first)
		}
		for _, other := range all[1:] {
			if other.String() != first && !strings.Contains(strings.Join(also, ","), other.String()) {
				return fmt.Errorf("have %v beside %s", other, first)
			}
		}
		switch {
		case !strings.Contains(all[0].Error, says):
			return fmt.Errorf("%s: have %q, want %q", first, all[0].Error, says)
		case all[0].Hint == "" || all[0].Mend == "" || all[0].LeadsTo == "":
			return fmt.Errorf("%s: it doesn't say what it leads to, or what mends it: %+v", first, all[0])
		case (r.Code == 2) != (all[0].Result == "error") && len(also) == 0:
			return fmt.Errorf("%s is a %s, and the exit code %d", first, all[0].Result, r.Code)
		}
		return nil
	})
	if err != nil {
		b.t.Errorf("%v\n%s", err, said)
	}
}

// wantFewRights: who may read little is told so, and what can't be checked fails nobody.
func (b *bench) wantFewRights() {
	b.t.Helper()
	token, err := b.one.Client.CoreV1().ServiceAccounts(system).CreateToken(b.t.Context(), "coredns", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	b.must(err)
	r := b.w.ClustersetAs(b.one.KubeconfigOf(token.Status.Token), "check")
	if !strings.Contains(r.Out, "CS101") || r.Code != 2 {
		b.t.Errorf("as CoreDNS: %s", r.Said())
	}
}

// wantViewer: who may only view is told first what can't be checked.
func (b *bench) wantViewer() {
	b.t.Helper()
	_, err := b.one.Client.RbacV1().ClusterRoles().Create(b.t.Context(), &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "viewer"},
		Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{"*"}, Verbs: []string{"get", "list"},
			Resources: []string{"namespaces", "configmaps", "services", "pods", "deployments", "daemonsets", "cronjobs", "jobs"},
		}},
	}, metav1.CreateOptions{})
	b.must(err)
	_, err = b.one.Client.RbacV1().ClusterRoleBindings().Create(b.t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "viewer"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "viewer"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: "viewer"}},
	}, metav1.CreateOptions{})
	b.must(err)
	_, err = harness.Poll(b.t.Context(), settling, func() error {
		all, r := findings(b.t, b.w, "--as", "viewer")
		if len(all) == 0 || all[0].String() != "CS102" || !strings.Contains(all[0].Error, "you may not get secrets, create pods/portforward, create subjectaccessreviews") {
			return fmt.Errorf("have %v\n%s", all, r.Said())
		}
		return nil
	})
	b.must(err)
}

// wantBefore: before an install, a cluster whose DNS isn't CoreDNS is one for the stand-alone
// form.
func (b *bench) wantBefore() {
	b.t.Helper()
	deployments := b.one.Client.AppsV1().Deployments(system)
	var err error
	b.kept, err = deployments.Get(b.t.Context(), "coredns", metav1.GetOptions{})
	b.must(err)
	b.must(deployments.Delete(b.t.Context(), "coredns", metav1.DeleteOptions{}))
	all, r := findings(b.t, b.w, "--pre")
	if r.Code != cli.Degraded || len(all) != 1 || all[0].String() != "CS201" || !strings.Contains(all[0].Mend, "deploy/kustomize/stand-alone") {
		b.t.Errorf("--pre: %s", r.Said())
	}
	b.mendDeployment()
}
