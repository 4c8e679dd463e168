package discovery

import (
	"context"
	"errors"
	"fmt"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// documentSuffix marks the keys of a ConfigMap that are documents.
const documentSuffix = ".yaml"

// FromConfigMap gives the feed of the documents in a ConfigMap. observe is told
// of every update once, whoever subscribes.
func FromConfigMap(api *API, name model.ObjectName, observe func(Update)) *Feed[Update] {
	return acquire("configmap "+api.key+" "+name.String(), func(ctx context.Context, publish func(Update)) {
		in := &intake{observe: observe, publish: publish}
		events := newEvents(ctx, api)
		defer events.wait()
		o := object{api: api, resource: "configmaps", example: &v1.ConfigMap{}, name: name}
		o.watch(ctx, func(obj runtime.Object) {
			configMap, exists := obj.(*v1.ConfigMap)
			if !exists {
				_ = in.report(nil, fmt.Errorf("configmap %s: not found", name))
				return
			}
			if err := in.report(documentsOf(configMap)); err != nil {
				events.tell(configMap, err)
			}
		}, func(err error) { _ = in.report(nil, err) })
	})
}

func documentsOf(configMap *v1.ConfigMap) (map[string]string, error) {
	documents := make(map[string]string)
	for key, text := range configMap.Data {
		if strings.HasSuffix(key, documentSuffix) {
			documents[key] = text
		}
	}
	if len(documents) == 0 {
		return nil, errors.New("configmap " + configMap.Namespace + "/" + configMap.Name + `: no key ends in "` + documentSuffix + `"`)
	}
	return documents, nil
}
