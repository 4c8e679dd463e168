package inventory

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// clusterProperty names a cluster (KEP-2149).
const clusterProperty = "cluster.clusterset.k8s.io"

// clusterProfiles reads ClusterProfiles (KEP-4322). Their access providers name commands that
// log in, and none is run.
func clusterProfiles(ctx context.Context, r *reader) ([]*cluster, error) {
	items, err := r.list(ctx, "multicluster.x-k8s.io", "ClusterProfile")
	if err != nil {
		return nil, err
	}
	var all []*cluster
	for _, o := range items {
		all = append(all, profiled(o))
	}
	return all, nil
}

func profiled(o *unstructured.Unstructured) *cluster {
	c := &cluster{name: o.GetName(), origin: "ClusterProfile " + o.GetNamespace() + "/" + o.GetName()}
	properties, _, _ := unstructured.NestedSlice(o.Object, "status", "properties") // another type is none
	for _, p := range properties {
		if property, is := p.(map[string]any); is && text(property, "name") == clusterProperty && text(property, "value") != "" {
			c.name = text(property, "value")
		}
	}
	var providers []string
	for _, field := range []string{"accessProviders", "credentialProviders"} { // the second is what it was called before
		list, _, _ := unstructured.NestedSlice(o.Object, "status", field)
		for _, p := range list {
			if provider, is := p.(map[string]any); is {
				providers = append(providers, fmt.Sprintf("%.60q", text(provider, "name")))
			}
		}
	}
	c.refused = "it has no credentials"
	if len(providers) > 0 {
		c.refused = "accessProviders " + strings.Join(providers, ", ") + ": name a command that logs in, and none is run"
	}
	return c
}
