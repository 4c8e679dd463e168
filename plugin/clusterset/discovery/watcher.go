package discovery

import (
	"context"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// watcher tells of an object's changes and of the API's errors. An informer
// alone tries again silently while the API refuses connections.
type watcher struct {
	object  object
	changed func(runtime.Object)
	failed  func(error)

	mu      sync.Mutex
	known   bool // whether current was told
	current runtime.Object
	failing bool
}

// set takes in what the informer found.
func (w *watcher) set(obj runtime.Object) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.known, w.current = true, obj
	w.changed(obj)
}

// missing takes in that there was no object when the informer had synced.
func (w *watcher) missing() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.known {
		w.known = true
		w.changed(nil)
	}
}

// note takes in how a request ended. After a failure, what is known is told
// again: the informer does so only where it differs.
func (w *watcher) note(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.failing = true
		w.failed(w.object.explain(err))
		return
	}
	if w.failing && w.known {
		w.changed(w.current)
	}
	w.failing = false
}

// listWatch lists and watches the one object, and notes how that goes.
func (w *watcher) listWatch() *cache.ListWatch {
	o := w.object
	inner := cache.NewListWatchFromClient(o.api.client.CoreV1().RESTClient(), o.resource, o.name.Namespace,
		fields.OneTermEqualSelector("metadata.name", o.name.Name))
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			list, err := inner.ListWithContext(ctx, options)
			w.note(ctx, err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			events, err := inner.WatchWithContext(ctx, options)
			w.note(ctx, err)
			return events, err
		},
	}
}

// plainListWatch keeps the informer from streaming its list (KEP-3157): for one
// object it gains nothing, and while the API is away it sleeps without looking
// at its context.
type plainListWatch struct{ *cache.ListWatch }

// IsWatchListSemanticsUnSupported is what client-go asks for.
func (plainListWatch) IsWatchListSemanticsUnSupported() bool { return true }
