package objects

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/bounded"
	"github.com/coredns-clusterset/clusterset/cmd/kubectl-clusterset/cli"
)

// requestTimeout is for one request, unless --request-timeout says another: an API that
// hangs is told from a slow one in the time that a person waits.
const requestTimeout = 15 * time.Second

// Cluster is an API that objects are made in.
type Cluster struct {
	// Context is its name in the kubeconfig, "" for the one that the flags choose.
	Context string
	// UID is of its namespace kube-system: two contexts with the same are one cluster.
	UID    string
	Config *rest.Config
	Kube   kubernetes.Interface

	dynamic dynamic.Interface
}

// Connect returns the cluster of a context, after having asked who it is.
func Connect(ctx context.Context, c *cli.Context, name string) (*Cluster, error) {
	cluster, err := ConnectUnasked(c, name)
	if err != nil {
		return nil, err
	}
	system, err := cluster.Kube.CoreV1().Namespaces().Get(ctx, MemberNamespace, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("%s: namespace %s: %w", cluster, MemberNamespace, err)
	}
	cluster.UID = string(system.UID)
	return cluster, nil
}

// ConnectUnasked returns the cluster of a context, whose UID isn't known: for who may not
// ask.
func ConnectUnasked(c *cli.Context, name string) (*Cluster, error) {
	config, err := c.RESTConfig(name)
	if err != nil {
		return nil, err
	}
	if config.Timeout == 0 {
		config.Timeout = requestTimeout
	}
	cluster, err := newCluster(config)
	if err != nil {
		return nil, err
	}
	cluster.Context = name
	if name == "" {
		cluster.Context = c.CurrentContext()
	}
	return cluster, nil
}

// newCluster returns the cluster's clients, whose replies have an end. Config is for others:
// ports are forwarded with it, too.
func newCluster(config *rest.Config) (*Cluster, error) {
	asking := rest.CopyConfig(config)
	bounded.Wrap(asking)
	kube, err := kubernetes.NewForConfig(asking)
	if err != nil {
		return nil, err
	}
	any, err := dynamic.NewForConfig(asking)
	if err != nil {
		return nil, err
	}
	return &Cluster{Config: config, Kube: kube, dynamic: any}, nil
}

// String is how the cluster is called in messages.
func (c *Cluster) String() string {
	if c.Context == "" {
		return "this cluster"
	}
	return "context " + c.Context
}

// resources are of all kinds that are made here.
var resources = map[string]schema.GroupVersionResource{
	"ServiceAccount":     {Version: "v1", Resource: "serviceaccounts"},
	"Secret":             {Version: "v1", Resource: "secrets"},
	"ConfigMap":          {Version: "v1", Resource: "configmaps"},
	"Role":               {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "roles"},
	"RoleBinding":        {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "rolebindings"},
	"ClusterRole":        {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterroles"},
	"ClusterRoleBinding": {Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterrolebindings"},
	"CronJob":            {Group: "batch", Version: "v1", Resource: "cronjobs"},
}

func (c *Cluster) of(o *unstructured.Unstructured) dynamic.ResourceInterface {
	resource := c.dynamic.Resource(resources[o.GetKind()])
	if o.GetNamespace() == "" {
		return resource
	}
	return resource.Namespace(o.GetNamespace())
}

// get returns the object as it is in the cluster, nil where there is none.
func (c *Cluster) get(ctx context.Context, o *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	live, err := c.of(o).Get(ctx, o.GetName(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return live, err
}

// Describe is an object's kind and name, as kubectl has them.
func Describe(o *unstructured.Unstructured) string {
	if o.GetNamespace() == "" {
		return o.GetKind() + " " + o.GetName()
	}
	return o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
}

func isOurs(o *unstructured.Unstructured) bool { return o.GetLabels()[ManagedByLabel] == ManagedBy }
