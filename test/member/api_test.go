//go:build e2e

package member

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"
	authv1 "k8s.io/api/authentication/v1"
	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/coredns-clusterset/clusterset/test/apiserver"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

const namespace = "default"

// api is an API server and its administrator.
type api struct {
	t       *testing.T
	up      *apiserver.Clusters
	http    *http.Client // the administrator's
	admin   *kubernetes.Clientset
	dynamic *dynamic.DynamicClient
}

// startAPI starts an API server. At the test's end nothing may be left of Members.
func startAPI(t *testing.T, flags ...string) *api {
	t.Helper()
	up := apiserver.Start(t, append(flags, "c1=10.101.0.0/16")...)
	before := goleak.IgnoreCurrent()
	config := harness.ClientConfig(t, up.Kubeconfig("c1"))
	a := &api{t: t, up: up}
	var err error
	a.http, err = rest.HTTPClientFor(config)
	a.must(err)
	a.admin, err = kubernetes.NewForConfigAndClient(config, a.http)
	a.must(err)
	a.dynamic, err = dynamic.NewForConfigAndClient(config, a.http)
	a.must(err)
	t.Cleanup(func() { // when all Members have been stopped
		net.CloseIdleConnectionsFor(a.http.Transport)
		goleak.VerifyNone(t, before)
	})
	return a
}

func (a *api) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

// create makes a Service with one slice of one endpoint.
func (a *api) create(name string) {
	a.t.Helper()
	a.createIn(namespace, name)
}

func (a *api) createIn(namespace, name string) {
	a.t.Helper()
	_, err := a.admin.CoreV1().Services(namespace).Create(a.t.Context(), &v1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       v1.ServiceSpec{ClusterIP: v1.ClusterIPNone, Ports: []v1.ServicePort{{Name: "http", Port: 80}}},
	}, metav1.CreateOptions{})
	a.must(err)
	_, err = a.admin.DiscoveryV1().EndpointSlices(namespace).Create(a.t.Context(), slice(name), metav1.CreateOptions{})
	a.must(err)
}

// slice is an EndpointSlice of the Service.
func slice(service string) *discovery.EndpointSlice {
	name, tcp, port := "http", v1.ProtocolTCP, int32(80)
	return &discovery.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Name: service, Labels: map[string]string{discovery.LabelServiceName: service},
			Annotations: map[string]string{v1.EndpointsLastChangeTriggerTime: time.Now().Format(time.RFC3339Nano)},
		},
		AddressType: discovery.AddressTypeIPv4,
		Ports:       []discovery.EndpointPort{{Name: &name, Protocol: &tcp, Port: &port}},
		Endpoints:   []discovery.Endpoint{{Addresses: []string{"10.51.0.1"}}},
	}
}

func (a *api) delete(name string) {
	a.t.Helper()
	a.must(a.admin.CoreV1().Services(namespace).Delete(a.t.Context(), name, metav1.DeleteOptions{}))
}

// account makes a ServiceAccount that may list and watch these, and gives the path
// of its kubeconfig. A resource is "group/name".
func (a *api) account(name string, resources ...[2]string) string {
	a.t.Helper()
	_, err := a.admin.CoreV1().ServiceAccounts(namespace).Create(a.t.Context(),
		&v1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	a.must(err)
	a.allow(name, resources...)
	return a.up.KubeconfigWithToken(a.t, "c1", a.token(name))
}

func (a *api) token(name string) string {
	a.t.Helper()
	token, err := a.admin.CoreV1().ServiceAccounts(namespace).CreateToken(a.t.Context(), name, &authv1.TokenRequest{}, metav1.CreateOptions{})
	a.must(err)
	return token.Status.Token
}

var (
	theServices   = [2]string{"", "services"}
	theSlices     = [2]string{"discovery.k8s.io", "endpointslices"}
	theNamespaces = [2]string{"", "namespaces"}
)

func (a *api) allow(name string, resources ...[2]string) {
	a.t.Helper()
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}}
	for _, r := range resources {
		role.Rules = append(role.Rules, rbacv1.PolicyRule{APIGroups: r[:1], Resources: r[1:], Verbs: []string{"list", "watch"}})
	}
	_, err := a.admin.RbacV1().ClusterRoles().Create(a.t.Context(), role, metav1.CreateOptions{})
	a.must(err)
	_, err = a.admin.RbacV1().ClusterRoleBindings().Create(a.t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: namespace, Name: name}},
	}, metav1.CreateOptions{})
	a.must(err)
}

// deny takes all of it back.
func (a *api) deny(name string) {
	a.t.Helper()
	a.must(a.admin.RbacV1().ClusterRoleBindings().Delete(a.t.Context(), name, metav1.DeleteOptions{}))
	a.must(a.admin.RbacV1().ClusterRoles().Delete(a.t.Context(), name, metav1.DeleteOptions{}))
}

// key is the model's key of a Service in the tests' namespace.
func key(name string) string { return fmt.Sprintf("%s.%s", name, namespace) }
