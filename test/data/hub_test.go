//go:build e2e

package data

import (
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// hub is the API that a clusterset server has: the ClusterSet is a ConfigMap
// there, and the members' kubeconfigs are Secrets.
type hub struct{ *account }

const configMap = "clusterset"

func secretOf(member string) string { return member + "-kubeconfig" }

// startHub makes c the hub, where the server may read the ConfigMap and the
// Secrets of the members, and nothing else.
func startHub(c *cluster, members ...string) *hub {
	c.t.Helper()
	h := &hub{&account{cluster: c, name: "coredns"}}
	h.create()
	var secrets []string
	for _, m := range members {
		secrets = append(secrets, secretOf(m))
	}
	rule := func(resource string, names ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{resource}, ResourceNames: names, Verbs: []string{"get", "list", "watch"}}
	}
	ctx, options, named := c.t.Context(), metav1.CreateOptions{}, metav1.ObjectMeta{Name: h.name}
	_, err := c.admin.RbacV1().Roles(system).Create(ctx, &rbacv1.Role{
		ObjectMeta: named, Rules: []rbacv1.PolicyRule{rule("configmaps", configMap), rule("secrets", secrets...)},
	}, options)
	c.must(err)
	_, err = c.admin.RbacV1().RoleBindings(system).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: named,
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: system, Name: h.name}},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: h.name},
	}, options)
	c.must(err)
	return h
}

// startServer starts a clusterset server that has the hub's API.
func (h *hub) startServer(t *testing.T, mode string) *server {
	t.Helper()
	path := h.up.KubeconfigWithToken(t, h.cluster.name, h.token(3600).Token)
	s := newServer(t, mode, "configmap\n        kubeconfig "+path, "")
	s.awaitReady(t, harness.StartLimit)
	return s
}

// set makes these members the ClusterSet, their kubeconfigs in Secrets.
func (h *hub) set(members ...*cluster) {
	h.t.Helper()
	var all []entry
	for _, c := range members {
		all = append(all, entry{c.name, c.n, c.dns, "secret: " + system + "/" + secretOf(c.name)})
	}
	maps := h.admin.CoreV1().ConfigMaps(system)
	_, err := maps.Create(h.t.Context(), &v1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: configMap}, Data: map[string]string{setFile: document(all...)},
	}, metav1.CreateOptions{})
	h.must(err)
}

// give makes a member's kubeconfig, and says when that began.
func (h *hub) give(member, kubeconfig string) time.Time {
	h.t.Helper()
	object := &v1.Secret{ObjectMeta: metav1.ObjectMeta{Name: secretOf(member)}, StringData: map[string]string{"value": kubeconfig}}
	return harness.Put(h.t, h.admin.CoreV1().Secrets(system), object)
}
