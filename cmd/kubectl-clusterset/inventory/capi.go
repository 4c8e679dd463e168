package inventory

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// capi reads Cluster API's Clusters, and the kubeconfigs that it makes beside them.
func capi(ctx context.Context, r *reader) ([]*cluster, error) {
	items, err := r.list(ctx, "cluster.x-k8s.io", "Cluster")
	if err != nil {
		return nil, err
	}
	var all []*cluster
	for _, o := range items {
		c := capiCluster(o)
		if r.kubeconfigs {
			r.capiKubeconfig(ctx, c, o.GetNamespace(), o.GetName()+"-kubeconfig")
		}
		all = append(all, c)
	}
	return all, nil
}

// capiKubeconfig reads the Secret that Cluster API makes for a cluster.
func (r *reader) capiKubeconfig(ctx context.Context, c *cluster, namespace, name string) {
	secret, err := r.kube.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case err != nil:
		c.refused = "Secret " + namespace + "/" + name + ": " + err.Error()
	case secret.Type != "cluster.x-k8s.io/secret":
		c.refused = "Secret " + namespace + "/" + name + ": type " + string(secret.Type) + ", not cluster.x-k8s.io/secret"
	default:
		c.kubeconfig = secret.Data["value"]
	}
}

func capiCluster(o *unstructured.Unstructured) *cluster {
	return &cluster{
		name: o.GetName(), origin: "Cluster " + o.GetNamespace() + "/" + o.GetName(),
		serviceCIDRs: texts(o.Object, "spec", "clusterNetwork", "services", "cidrBlocks"),
		podCIDRs:     texts(o.Object, "spec", "clusterNetwork", "pods", "cidrBlocks"),
		domain:       text(o.Object, "spec", "clusterNetwork", "serviceDomain"),
	}
}
