package inventory

import (
	"context"
	"maps"
	"slices"
)

// istio reads Istio's remote Secrets: each key is a cluster, its value a kubeconfig.
func istio(ctx context.Context, r *reader) ([]*cluster, error) {
	secrets, err := r.secrets(ctx, "istio/multiCluster=true")
	if err != nil {
		return nil, err
	}
	var all []*cluster
	for _, s := range secrets {
		for _, name := range slices.Sorted(maps.Keys(s.Data)) {
			all = append(all, &cluster{name: name, origin: "Secret " + s.Namespace + "/" + s.Name + ", key " + name, kubeconfig: s.Data[name]})
		}
	}
	return all, nil
}
