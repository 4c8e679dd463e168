package discovery

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// propertyPaths are where the About API (KEP-2149) keeps the cluster's name in
// its ClusterSet, newest version first.
var propertyPaths = []string{
	"/apis/about.k8s.io/v1beta1/clusterproperties/cluster.clusterset.k8s.io",
	"/apis/about.k8s.io/v1alpha1/clusterproperties/cluster.clusterset.k8s.io",
}

// propertyPause is between two looks: the property hardly ever changes, but may
// be installed after CoreDNS.
const propertyPause = 30 * time.Second

// WatchClusterName calls changed with the name that the About API gives this
// cluster, "" while it gives none, until ctx ends. An API that can't be reached
// changes nothing.
func (a *API) WatchClusterName(ctx context.Context, changed func(string)) {
	last := ""
	for ctx.Err() == nil {
		if name, known := a.clusterName(ctx); known && name != last {
			last = name
			changed(name)
		}
		select {
		case <-ctx.Done():
		case <-time.After(propertyPause/2 + rand.N(propertyPause)):
		}
	}
}

// clusterName asks for the property once; known is false when there was no
// answer that says anything.
func (a *API) clusterName(ctx context.Context) (name string, known bool) {
	for _, path := range propertyPaths {
		raw, err := a.client.Discovery().RESTClient().Get().AbsPath(path).DoRaw(ctx)
		if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
			continue
		}
		if err != nil {
			return "", false
		}
		var property struct {
			Spec struct {
				Value string `json:"value"`
			} `json:"spec"`
		}
		if json.Unmarshal(raw, &property) == nil {
			return property.Spec.Value, true
		}
	}
	return "", true
}
