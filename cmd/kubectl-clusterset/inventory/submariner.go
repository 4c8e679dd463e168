package inventory

import (
	"context"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// submariner reads Submariner's Clusters, which have ranges and no credentials.
func submariner(ctx context.Context, r *reader) ([]*cluster, error) {
	items, err := r.list(ctx, "submariner.io", "Cluster")
	if err != nil {
		return nil, err
	}
	var all []*cluster
	for _, o := range items {
		all = append(all, submarinerCluster(o))
	}
	return all, nil
}

func submarinerCluster(o *unstructured.Unstructured) *cluster {
	c := &cluster{
		name: text(o.Object, "spec", "cluster_id"), origin: "Cluster " + o.GetNamespace() + "/" + o.GetName(),
		serviceCIDRs: texts(o.Object, "spec", "service_cidr"), podCIDRs: texts(o.Object, "spec", "cluster_cidr"),
		refused: "it has no credentials",
	}
	if c.name == "" {
		c.name = o.GetName()
	}
	return c
}
