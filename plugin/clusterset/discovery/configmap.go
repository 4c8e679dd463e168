package discovery

import (
	"context"
	"errors"
	"fmt"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/document"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// FromConfigMap returns the feed of the documents in a ConfigMap. observe is called with
// every update once, whoever subscribes.
func FromConfigMap(api *API, name model.ObjectName, observe func(Update)) *Feed[Update] {
	return acquire(origin{"configmap", name.String(), api.key}, func(ctx context.Context, f *Feed[Update]) {
		last := newLastGood(f, observe)
		events := newEvents(ctx, api)
		defer events.wait()
		o := object{api: api, resource: "configmaps", example: &v1.ConfigMap{}, name: name}
		o.watch(ctx, func(obj runtime.Object) {
			configMap, exists := obj.(*v1.ConfigMap)
			if !exists {
				_ = last.failed(fmt.Errorf("configmap %s: not found", name))
				return
			}
			if err := readConfigMap(last, configMap); err != nil {
				events.post(configMap, err)
			}
		}, func(err error) { _ = last.failed(err) })
	})
}

// readConfigMap returns what is wrong with the documents, where that is news.
func readConfigMap(last *lastGood, configMap *v1.ConfigMap) error {
	documents := document.Of(configMap.Data)
	if len(documents) == 0 {
		return last.failed(errors.New("configmap " + configMap.Namespace + "/" + configMap.Name + `: no key ends in "` + document.Suffix + `"`))
	}
	return last.read(version{configMap.ResourceVersion, configMap.Generation}, documents)
}
