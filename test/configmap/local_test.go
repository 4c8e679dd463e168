//go:build e2e

package configmap

import (
	"testing"

	authzv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

const (
	aboutGroup      = "about.k8s.io"
	clusterProperty = "cluster.clusterset.k8s.io"
	// markHere is what the clusterset server itself says of the service that the
	// members' DNS gives their marks for.
	markHere = "10.101.0.99"
)

// servesDomain are the lines of a server block that serves the local cluster's
// own domain.
var servesDomain = []string{"file here.db cluster.local", "file here-reverse.db in-addr.arpa"}

// TestLocalByAboutAPI: the names of the cluster that the About API says we are in
// are answered by this server itself.
func TestLocalByAboutAPI(t *testing.T) {
	a := startAPI(t)
	a.installAboutAPI()
	a.createProperty("c1")
	c1 := startMember(t, "127.0.111.11", "10.101.0.1")
	c2 := startMember(t, "127.0.111.12", "10.102.0.1")
	a.write(one(member(1, c1.Addr), member(2, c2.Addr)))
	kubeconfig := a.kubeconfig(theConfigMap())
	a.allowProperty()
	s := startServer(t, kubeconfig, servesDomain...)
	s.Await(t, seen, who("c1"), answer(markHere))
	s.isLocal(t, c2)
	if n := s.Metric(harness.Responses("c1", "NOERROR", "local")); n < 2 {
		t.Errorf("%v of c1's replies are from this server, want 2 at least", n)
	}
	s.AwaitMetrics(t, seen, map[string]float64{harness.Responses("c2", "NOERROR", "forward"): 2})
	// The other names of this server are as they were.
	s.Want(t, "who.default.svc.cluster.local.", answer(markHere))

	for _, test := range []struct {
		name   string
		before func()
	}{
		{"reload", func() {}},
		{"reload without the API server", func() { a.up.Stop("api") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.before()
			here := s.Probe(reverseName(t, markHere), answer("who.default.svc.cluster.local."))
			for range 3 {
				s.Reload()
			}
			here.End(t)
			s.isLocal(t, c2)
		})
	}
}

// isLocal checks who answers for the local cluster, c1, and for c2.
func (s *server) isLocal(t *testing.T, c2 *dnsService) {
	t.Helper()
	s.Want(t, who("c1"), answer(markHere))
	s.Want(t, who("c2"), answer(c2.mark))
	s.Want(t, reverseName(t, c2.mark), answer("who.default.svc.c2.lan."))
	// An address of our own is the next plugin's.
	s.Want(t, reverseName(t, markHere), answer("who.default.svc.cluster.local."))
}

// installAboutAPI makes the CustomResourceDefinition of KEP-2149, as far as it
// is used, and waits until it is served.
func (a *api) installAboutAPI() {
	a.t.Helper()
	a.must(a.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{
			"name": "clusterproperties." + aboutGroup,
			// The group is Kubernetes' own, which asks who approved it.
			"annotations": map[string]any{"api-approved.kubernetes.io": "https://github.com/kubernetes/enhancements/pull/2149"},
		},
		"spec": map[string]any{
			"group": aboutGroup, "scope": "Cluster",
			"names": map[string]any{"plural": "clusterproperties", "singular": "clusterproperty", "kind": "ClusterProperty"},
			"versions": []any{map[string]any{
				"name": "v1alpha1", "served": true, "storage": true,
				"schema": map[string]any{"openAPIV3Schema": map[string]any{
					"type": "object",
					"properties": map[string]any{"spec": map[string]any{
						"type": "object", "properties": map[string]any{"value": map[string]any{"type": "string"}},
					}},
				}},
			}},
		},
	}))
}

func (a *api) createProperty(cluster string) {
	a.t.Helper()
	property := map[string]any{
		"apiVersion": aboutGroup + "/v1alpha1", "kind": "ClusterProperty",
		"metadata": map[string]any{"name": clusterProperty},
		"spec":     map[string]any{"value": cluster},
	}
	harness.Eventually(a.t, settled, "ClusterProperty", func() error {
		return a.post("/apis/"+aboutGroup+"/v1alpha1/clusterproperties", property)
	})
}

// allowProperty lets the ServiceAccount read the property, and waits until the
// API server knows it.
func (a *api) allowProperty() {
	a.t.Helper()
	ctx, options := a.t.Context(), metav1.CreateOptions{}
	_, err := a.admin.RbacV1().ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: named(account), Rules: []rbacv1.PolicyRule{{
		APIGroups: []string{aboutGroup}, Resources: []string{"clusterproperties"},
		ResourceNames: []string{clusterProperty}, Verbs: []string{"get"},
	}}}, options)
	a.must(err)
	_, err = a.admin.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: named(account), Subjects: subjects(), RoleRef: roleRef("ClusterRole"),
	}, options)
	a.must(err)
	a.awaitAccess(authzv1.ResourceAttributes{Verb: "get", Group: aboutGroup, Resource: "clusterproperties", Name: clusterProperty})
}
