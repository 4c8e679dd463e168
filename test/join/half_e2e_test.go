//go:build e2e

package join

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
)

// steps are what join writes, in the order of the steps; here and there are in which cluster
// one is forbidden.
var steps = []struct{ where, resource string }{
	{"cluster2", "serviceaccounts"}, {"cluster2", "clusterroles"}, {"cluster2", "clusterrolebindings"},
	{"cluster2", "roles"}, {"cluster2", "rolebindings"}, {"cluster2", "serviceaccounts/token"},
	{"cluster1", "roles"}, {"cluster1", "rolebindings"}, {"cluster1", "secrets"},
	{"cluster1", "serviceaccounts"}, {"cluster1", "cronjobs"}, {"cluster1", "configmaps"},
}

// TestHalfDone: where a step is forbidden join ends with what is missing; by somebody who may
// it is finished; and a leave that is forbidden something is finished likewise.
func TestHalfDone(t *testing.T) {
	w := start(t, 2)
	for _, step := range steps {
		w.forbid(t, step.where, step.resource)
	}
	w.write(t)
	before := w.settle(t)
	for _, step := range steps {
		t.Run(step.where+" "+step.resource, func(t *testing.T) {
			context, from := "cluster1", "cluster2"
			if step.where == "cluster1" {
				context = user(step.where, step.resource)
			} else {
				from = user(step.where, step.resource)
			}
			arguments := []string{"join", "cluster2", "--context", context, "--from-context", from, "--allow-loopback"}
			_, errOut := w.want(t, cli.Failed, arguments...)
			resource, _, _ := strings.Cut(step.resource, "/")
			if !strings.Contains(errOut, "forbidden") || !strings.Contains(errOut, resource) || strings.Count(errOut, "error:") != 1 {
				t.Errorf("have %s", errOut)
			}
			w.want(t, cli.Good, joinTwo...)
			w.by["cluster1"].wantReads(t, "cluster2")
			// Who may not create may delete neither.
			w.want(t, leaveCode(step.resource), "leave", "cluster2", "--context", context, "--from-context", from)
			if code, _, errOut := w.run("leave", "cluster2"); code != cli.Good && !strings.Contains(errOut, "isn't joined") {
				t.Errorf("leave: %s", errOut)
			}
			w.wantSame(t, "left", before)
		})
	}
}

// leaveCode is of a leave by who may not delete: it deletes no tokens, and of the ConfigMap
// it is told at the last.
func leaveCode(resource string) int {
	if resource == "serviceaccounts/token" {
		return cli.Good
	}
	return cli.Failed
}

func user(where, resource string) string {
	return "no-" + where + "-" + strings.ReplaceAll(resource, "/", "-")
}

// forbid adds a user, and a context with it, who may do all that join needs in a cluster, but
// not create or delete one kind.
func (w *world) forbid(t *testing.T, where, resource string) {
	t.Helper()
	all := []string{
		"serviceaccounts", "serviceaccounts/token", "secrets", "configmaps", "services", "nodes", "namespaces",
		"deployments", "servicecidrs", "clusterroles", "clusterrolebindings", "roles", "rolebindings", "cronjobs",
		"endpointslices", "serviceexports",
	}
	others := slices.DeleteFunc(slices.Clone(all), func(r string) bool { return r == resource })
	c, name := w.by[where], user(where, resource)
	_, err := c.kube.RbacV1().ClusterRoles().Create(t.Context(), &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{"*"}, Resources: others, Verbs: []string{"*"}},
		{APIGroups: []string{"*"}, Resources: []string{resource}, Verbs: []string{"get", "list", "watch", "update", "patch", "bind", "escalate"}},
	}}, metav1.CreateOptions{})
	must(t, err)
	_, err = c.kube.RbacV1().ClusterRoleBindings().Create(t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: name}},
	}, metav1.CreateOptions{})
	must(t, err)
	eventually(t, "rights of "+name, func() error {
		review, err := c.kube.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{User: name, ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: "get", Resource: "namespaces"}},
		}, metav1.CreateOptions{})
		if err == nil && !review.Status.Allowed {
			err = fmt.Errorf("not yet")
		}
		return err
	})
	as := w.config.AuthInfos[where].DeepCopy()
	as.Impersonate = name
	w.config.AuthInfos[name] = as
	w.config.Contexts[name] = &clientcmdapi.Context{Cluster: where, AuthInfo: name}
}
