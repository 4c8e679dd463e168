//go:build e2e

package configmap

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	authv1 "k8s.io/api/authentication/v1"
	authzv1 "k8s.io/api/authorization/v1"
	v1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/coredns-clusterset/clusterset/test/apiserver"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

// Where the ClusterSet is, unless the Corefile says otherwise.
const namespace, configMap = "kube-system", "clusterset"

// account is the clusterset server's ServiceAccount, and its roles' name.
const account = "coredns-clusterset"

// settled bounds what an API server does soon after a write: it believes in a
// new role when its own watch has seen it.
const settled = 30 * time.Second

// api is an API server and its administrator.
type api struct {
	t     *testing.T
	up    *apiserver.Clusters
	admin *kubernetes.Clientset
}

func startAPI(t *testing.T) *api {
	t.Helper()
	up := apiserver.Start(t, "api")
	a := &api{t: t, up: up, admin: harness.NewClient(t, up.Kubeconfig("api"))}
	harness.AwaitNamespace(t, a.admin, namespace)
	return a
}

// watching is the rule to read one object, all that the README asks for.
func watching(resource, name string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{
		APIGroups: []string{""}, Resources: []string{resource}, ResourceNames: []string{name},
		Verbs: []string{"get", "list", "watch"},
	}
}

// theConfigMap is the one rule that a clusterset server can't do without.
func theConfigMap() rbacv1.PolicyRule { return watching("configmaps", configMap) }

// kubeconfig is that of a ServiceAccount which may do what the rules say and
// nothing else.
func (a *api) kubeconfig(rules ...rbacv1.PolicyRule) string {
	a.t.Helper()
	ctx, options := a.t.Context(), metav1.CreateOptions{}
	_, err := a.admin.CoreV1().ServiceAccounts(namespace).Create(ctx, &v1.ServiceAccount{ObjectMeta: named(account)}, options)
	a.must(err)
	token, err := a.admin.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, account, &authv1.TokenRequest{}, options)
	a.must(err)
	if len(rules) > 0 {
		a.grant(rules...)
	}
	return a.up.KubeconfigWithToken(a.t, "api", token.Status.Token)
}

// grant makes the role of the ServiceAccount, and waits until it is in force.
func (a *api) grant(rules ...rbacv1.PolicyRule) {
	a.t.Helper()
	ctx, options := a.t.Context(), metav1.CreateOptions{}
	_, err := a.admin.RbacV1().Roles(namespace).Create(ctx, &rbacv1.Role{ObjectMeta: named(account), Rules: rules}, options)
	a.must(err)
	_, err = a.admin.RbacV1().RoleBindings(namespace).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: named(account), Subjects: subjects(), RoleRef: roleRef("Role"),
	}, options)
	a.must(err)
	for _, rule := range rules {
		access := authzv1.ResourceAttributes{Namespace: namespace, Verb: rule.Verbs[0], Resource: rule.Resources[0]}
		if len(rule.ResourceNames) > 0 {
			access.Name = rule.ResourceNames[0]
		}
		a.awaitAccess(access)
	}
}

// awaitAccess waits until the API server lets the ServiceAccount do that.
func (a *api) awaitAccess(access authzv1.ResourceAttributes) {
	a.t.Helper()
	review := &authzv1.SubjectAccessReview{Spec: authzv1.SubjectAccessReviewSpec{
		User: "system:serviceaccount:" + namespace + ":" + account, ResourceAttributes: &access,
	}}
	harness.Eventually(a.t, settled, "access", func() error {
		told, err := a.admin.AuthorizationV1().SubjectAccessReviews().Create(a.t.Context(), review, metav1.CreateOptions{})
		if err == nil && !told.Status.Allowed {
			return fmt.Errorf("%+v: not allowed", access)
		}
		return err
	})
}

func subjects() []rbacv1.Subject {
	return []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: namespace, Name: account}}
}

func roleRef(kind string) rbacv1.RoleRef {
	return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: account}
}

func named(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }

// write makes data the ConfigMap's, and gives when that began.
func (a *api) write(data map[string]string) time.Time {
	a.t.Helper()
	return harness.Put(a.t, a.admin.CoreV1().ConfigMaps(namespace), &v1.ConfigMap{ObjectMeta: named(configMap), Data: data})
}

// touch writes data again, so that nothing but an annotation differs.
func (a *api) touch(data map[string]string) {
	a.t.Helper()
	object := &v1.ConfigMap{ObjectMeta: named(configMap), Data: data}
	object.Annotations = map[string]string{"touched": fmt.Sprint(time.Now().UnixNano())}
	harness.Put(a.t, a.admin.CoreV1().ConfigMaps(namespace), object)
}

func (a *api) delete() {
	a.t.Helper()
	a.must(a.admin.CoreV1().ConfigMaps(namespace).Delete(a.t.Context(), configMap, metav1.DeleteOptions{}))
}

// post creates an object of a kind that client-go has no type for.
func (a *api) post(path string, object map[string]any) error {
	body, err := json.Marshal(object)
	if err != nil {
		return err
	}
	return a.admin.RESTClient().Post().AbsPath(path).SetHeader("Content-Type", "application/json").Body(body).Do(a.t.Context()).Error()
}

func (a *api) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}
