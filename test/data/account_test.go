//go:build e2e

package data

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	authv1 "k8s.io/api/authentication/v1"
	authzv1 "k8s.io/api/authorization/v1"
	v1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// system is the namespace of accounts, Secrets and the ClusterSet.
const system = "kube-system"

// account is a ServiceAccount with few rights.
type account struct {
	*cluster
	name string
	role *rbacv1.ClusterRole // what it may do when all is well
}

// reader is the account that deploy/ makes in every member: no test may need
// more rights than that gives.
func (c *cluster) reader() *account {
	c.t.Helper()
	objects := strings.Split(harness.ReadFile(c.t, "../../deploy/kustomize/member/rbac.yaml"), "\n---\n")
	var (
		made    v1.ServiceAccount
		role    rbacv1.ClusterRole
		binding rbacv1.ClusterRoleBinding
	)
	for i, into := range []any{&made, &role, &binding} {
		c.must(yaml.UnmarshalStrict([]byte(objects[i]), into))
	}
	a := &account{cluster: c, name: made.Name, role: &role}
	_, err := c.admin.RbacV1().ClusterRoles().Create(c.t.Context(), &role, metav1.CreateOptions{})
	c.must(err)
	_, err = c.admin.RbacV1().ClusterRoleBindings().Create(c.t.Context(), &binding, metav1.CreateOptions{})
	c.must(err)
	a.create()
	a.awaitAccess(true)
	return a
}

func (a *account) create() {
	a.t.Helper()
	object := &v1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: a.name}}
	_, err := a.admin.CoreV1().ServiceAccounts(system).Create(a.t.Context(), object, metav1.CreateOptions{})
	a.must(err)
}

func (a *account) delete() {
	a.t.Helper()
	a.must(a.admin.CoreV1().ServiceAccounts(system).Delete(a.t.Context(), a.name, metav1.DeleteOptions{}))
}

// token is one that is good for so many seconds.
func (a *account) token(seconds int64) authv1.TokenRequestStatus {
	a.t.Helper()
	request := &authv1.TokenRequest{Spec: authv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	made, err := a.admin.CoreV1().ServiceAccounts(system).CreateToken(a.t.Context(), a.name, request, metav1.CreateOptions{})
	a.must(err)
	return made.Status
}

// kubeconfig is the text of one with a new token.
func (a *account) kubeconfig() string {
	a.t.Helper()
	return a.kubeconfigWith(a.token(3600).Token)
}

func (a *account) kubeconfigWith(token string) string {
	a.t.Helper()
	return harness.ReadFile(a.t, a.up.KubeconfigWithToken(a.t, a.cluster.name, token))
}

// forbid takes the right to read EndpointSlices away, allow gives it back; both
// return when it is in force.
func (a *account) forbid() { a.t.Helper(); a.allowSlices(false) }
func (a *account) allow()  { a.t.Helper(); a.allowSlices(true) }

func (a *account) allowSlices(yes bool) {
	a.t.Helper()
	role := a.role.DeepCopy()
	role.Rules = slices.DeleteFunc(role.Rules, func(r rbacv1.PolicyRule) bool {
		return !yes && slices.Contains(r.Resources, "endpointslices")
	})
	_, err := a.admin.RbacV1().ClusterRoles().Update(a.t.Context(), role, metav1.UpdateOptions{})
	a.must(err)
	a.awaitAccess(yes)
}

// awaitAccess waits until the API server has seen the role: it lets the account
// list EndpointSlices, or doesn't.
func (a *account) awaitAccess(want bool) {
	a.t.Helper()
	review := &authzv1.SubjectAccessReview{Spec: authzv1.SubjectAccessReviewSpec{
		User:               "system:serviceaccount:" + system + ":" + a.name,
		ResourceAttributes: &authzv1.ResourceAttributes{Verb: "list", Group: "discovery.k8s.io", Resource: "endpointslices"},
	}}
	harness.Eventually(a.t, settled, "access", func() error {
		told, err := a.admin.AuthorizationV1().SubjectAccessReviews().Create(a.t.Context(), review, metav1.CreateOptions{})
		if err == nil && told.Status.Allowed != want {
			return fmt.Errorf("allowed: %v", told.Status.Allowed)
		}
		return err
	})
}

// caLine is the one line of kube up's kubeconfigs that holds the CA.
var caLine = regexp.MustCompile(`(?m)^\s*certificate-authority-data: .*$`)

// withCAOf is a kubeconfig with the CA of another one.
func withCAOf(t *testing.T, kubeconfig, other string) string {
	t.Helper()
	if found := len(caLine.FindAllString(kubeconfig, -1)); found != 1 {
		t.Fatalf("%d CA lines, want 1", found)
	}
	return caLine.ReplaceAllString(kubeconfig, caLine.FindString(other))
}
