package discovery

import (
	"context"
	"strings"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// maxEventMessage is the API server's bound, in bytes.
	maxEventMessage = 1024
	// eventTimeout is for an API that doesn't answer.
	eventTimeout = 5 * time.Second
	// eventPause is between two: an API keeps each replica's for an hour.
	eventPause = 5 * time.Second
)

// events puts what is wrong with a ConfigMap on it as Events, for whoever
// describes it. RBAC need not allow it. It runs beside the watch, which it must
// not hold up; of several errors in a row, only the newest becomes an Event.
type events struct {
	api     *API
	newest  chan *v1.Event // of one
	running sync.WaitGroup
}

func newEvents(ctx context.Context, api *API) *events {
	e := &events{api: api, newest: make(chan *v1.Event, 1)}
	e.running.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case event := <-e.newest:
				e.create(ctx, event)
				sleep(ctx, eventPause)
			}
		}
	})
	return e
}

func (e *events) create(ctx context.Context, event *v1.Event) {
	ctx, cancel := context.WithTimeout(ctx, eventTimeout)
	defer cancel()
	_, _ = e.api.client.CoreV1().Events(event.Namespace).Create(ctx, event, metav1.CreateOptions{})
}

// wait returns when the context of newEvents has ended, and with it all that events runs.
func (e *events) wait() { e.running.Wait() }

func (e *events) post(configMap *v1.ConfigMap, bad error) {
	select {
	case <-e.newest: // no longer the newest
	default:
	}
	e.newest <- invalid(configMap, bad)
}

func invalid(configMap *v1.ConfigMap, bad error) *v1.Event {
	message := bad.Error()
	if len(message) > maxEventMessage {
		message = strings.ToValidUTF8(message[:maxEventMessage-len("…")], "") + "…"
	}
	now := metav1.NewTime(time.Now())
	return &v1.Event{
		ObjectMeta: metav1.ObjectMeta{GenerateName: configMap.Name + ".", Namespace: configMap.Namespace},
		InvolvedObject: v1.ObjectReference{
			APIVersion: "v1", Kind: "ConfigMap", Namespace: configMap.Namespace, Name: configMap.Name,
			UID: configMap.UID, ResourceVersion: configMap.ResourceVersion,
		},
		Type: v1.EventTypeWarning, Reason: "InvalidClusterSet", Message: message,
		Source:         v1.EventSource{Component: "coredns-clusterset"},
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
	}
}
