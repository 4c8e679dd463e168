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
	for i := range items {
		c := capiCluster(&items[i])
		secret, err := r.kube.CoreV1().Secrets(items[i].GetNamespace()).Get(ctx, items[i].GetName()+"-kubeconfig", metav1.GetOptions{})
		switch {
		case err != nil:
			c.refused = "Secret " + items[i].GetNamespace() + "/" + items[i].GetName() + "-kubeconfig: " + err.Error()
		case secret.Type != "cluster.x-k8s.io/secret":
			c.refused = "Secret " + secret.Namespace + "/" + secret.Name + ": type " + string(secret.Type) + ", not cluster.x-k8s.io/secret"
		default:
			c.kubeconfig = secret.Data["value"]
		}
		all = append(all, c)
	}
	return all, nil
}

func capiCluster(o *unstructured.Unstructured) *cluster {
	return &cluster{
		name: o.GetName(), origin: "Cluster " + o.GetNamespace() + "/" + o.GetName(),
		serviceCIDRs: texts(o.Object, "spec", "clusterNetwork", "services", "cidrBlocks"),
		podCIDRs:     texts(o.Object, "spec", "clusterNetwork", "pods", "cidrBlocks"),
		domain:       text(o.Object, "spec", "clusterNetwork", "serviceDomain"),
	}
}
