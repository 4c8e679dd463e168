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

const (
	// propertyPause is between two requests: the property hardly ever changes, but
	// may be installed after CoreDNS.
	propertyPause = 30 * time.Second
	// propertyRetry is between two requests while the API doesn't answer, and
	// propertyTimeout how long an answer may take.
	propertyRetry, propertyTimeout = 2 * time.Second, 5 * time.Second
)

// ClusterName returns the feed of the name that the About API gives this cluster, "" while
// it has none. An API that can't be reached changes nothing.
func (a *API) ClusterName() *Feed[string] {
	return acquire(origin{"cluster name", propertyPaths[0], a.key}, func(ctx context.Context, f *Feed[string]) {
		for ctx.Err() == nil {
			pause := propertyRetry
			if name, known := a.clusterName(ctx); known {
				pause = propertyPause
				if last, published := f.Last(); name != last || !published {
					f.publish(name)
				}
			}
			sleep(ctx, pause/2+rand.N(pause))
		}
	})
}

// clusterName asks for the property once; known is whether the API answered that.
func (a *API) clusterName(ctx context.Context) (name string, known bool) {
	ctx, cancel := context.WithTimeout(ctx, propertyTimeout)
	defer cancel()
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
