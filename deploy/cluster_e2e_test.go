//go:build e2e

package deploy

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// cluster is a real API, asked as its administrator.
type cluster struct {
	client    kubernetes.Interface
	dynamic   dynamic.Interface
	resources []*restmapper.APIGroupResources
}

func connect(t *testing.T, kubeconfig string) *cluster {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	config.QPS = -1 // a local API, asked thousands of things
	c := &cluster{client: kubernetes.NewForConfigOrDie(config), dynamic: dynamic.NewForConfigOrDie(config)}
	if c.resources, err = restmapper.GetAPIGroupResources(c.client.Discovery()); err != nil {
		t.Fatal(err)
	}
	return c
}

// of is the client of the object's kind, in its namespace.
func (c *cluster) of(t *testing.T, o *unstructured.Unstructured) dynamic.ResourceInterface {
	t.Helper()
	kind := o.GroupVersionKind()
	mapping, err := restmapper.NewDiscoveryRESTMapper(c.resources).RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		t.Fatal(err)
	}
	if o.GetNamespace() == "" {
		return c.dynamic.Resource(mapping.Resource)
	}
	return c.dynamic.Resource(mapping.Resource).Namespace(o.GetNamespace())
}

// apply does what "kubectl apply --server-side --force-conflicts" does.
func (c *cluster) apply(t *testing.T, o *unstructured.Unstructured, dryRun ...string) error {
	t.Helper()
	options := metav1.ApplyOptions{FieldManager: "kubectl", Force: true, DryRun: dryRun}
	_, err := c.of(t, o).Apply(t.Context(), o.GetName(), o.DeepCopy(), options)
	return err
}

func (c *cluster) applyAll(t *testing.T, objects []*unstructured.Unstructured, dryRun ...string) {
	t.Helper()
	for _, o := range objects {
		if err := c.apply(t, o, dryRun...); err != nil {
			t.Errorf("%s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
}

func (c *cluster) create(t *testing.T, o *unstructured.Unstructured) {
	t.Helper()
	if _, err := c.of(t, o).Create(t.Context(), o, metav1.CreateOptions{FieldManager: "kubeadm"}); err != nil {
		t.Fatal(err)
	}
}

// ensureNamespace makes a namespace that the API server makes too, soon after its
// start.
func (c *cluster) ensureNamespace(t *testing.T, name string) {
	t.Helper()
	namespace := &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	_, err := c.client.CoreV1().Namespaces().Create(t.Context(), namespace, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		t.Fatal(err)
	}
}

func (c *cluster) deployment(t *testing.T, namespace, name string) *appsv1.Deployment {
	t.Helper()
	d, err := c.client.AppsV1().Deployments(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (c *cluster) configMap(t *testing.T, namespace, name string) *v1.ConfigMap {
	t.Helper()
	m, err := c.client.CoreV1().ConfigMaps(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (c *cluster) review(t *testing.T, user string, asked authorizationv1.ResourceAttributes, want bool) error {
	review := &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{User: user, ResourceAttributes: &asked},
	}
	review, err := c.client.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), review, metav1.CreateOptions{})
	if err == nil && review.Status.Allowed != want {
		err = fmt.Errorf("%s %s %q: allowed is %v, want %v", asked.Verb, asked.Resource, asked.Name, !want, want)
	}
	return err
}

// eventually asks again until there is no error: authorization and quotas follow
// what was applied a moment later.
func eventually(t *testing.T, what string, check func() error) {
	t.Helper()
	if _, err := harness.Poll(t.Context(), 10*time.Second, check); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}
