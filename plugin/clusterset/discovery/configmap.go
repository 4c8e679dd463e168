package discovery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// documentSuffix marks the keys of a ConfigMap that are documents.
const documentSuffix = ".yaml"

// FromConfigMap gives the feed of the documents in a ConfigMap.
func FromConfigMap(api *API, name model.ObjectName, observe func(Update)) (*Feed, error) {
	return acquire("configmap "+api.key+" "+name.String(), observe, func() (source, error) {
		return &configMapSource{api: api, name: name}, nil
	})
}

type configMapSource struct {
	api  *API
	name model.ObjectName
}

func (s *configMapSource) run(ctx context.Context, report reporter) {
	o := object{api: s.api, resource: "configmaps", example: &v1.ConfigMap{}, name: s.name}
	o.watch(ctx, func(obj runtime.Object) {
		configMap, exists := obj.(*v1.ConfigMap)
		if !exists {
			_ = report(nil, fmt.Errorf("configmap %s: not found", s.name))
			return
		}
		if err := report(documentsOf(configMap)); err != nil {
			s.tell(ctx, configMap, err)
		}
	}, func(err error) { _ = report(nil, err) })
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

// maxEventMessage is the API server's bound.
const maxEventMessage = 1024

// tell puts the error on the ConfigMap as an Event, for whoever describes it.
// RBAC need not allow it.
func (s *configMapSource) tell(ctx context.Context, configMap *v1.ConfigMap, bad error) {
	message := bad.Error()
	if len(message) > maxEventMessage {
		message = strings.ToValidUTF8(message[:maxEventMessage-len("…")], "") + "…"
	}
	now := metav1.NewTime(time.Now())
	event := &v1.Event{
		ObjectMeta: metav1.ObjectMeta{GenerateName: configMap.Name + ".", Namespace: configMap.Namespace},
		InvolvedObject: v1.ObjectReference{
			APIVersion: "v1", Kind: "ConfigMap", Namespace: configMap.Namespace, Name: configMap.Name,
			UID: configMap.UID, ResourceVersion: configMap.ResourceVersion,
		},
		Type: v1.EventTypeWarning, Reason: "InvalidClusterSet", Message: message,
		Source:         v1.EventSource{Component: "coredns-clusterset"},
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
	}
	_, _ = s.api.client.CoreV1().Events(configMap.Namespace).Create(ctx, event, metav1.CreateOptions{})
}
