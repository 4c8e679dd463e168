package discovery

import (
	"context"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// watcher tells of an object's changes and of the API's errors. An informer
// alone tries again silently while the API refuses connections.
//
// What changes more often than it can be taken in is told as it is then: an informer
// keeps all that it was in between, so that whoever may write the object fills the
// memory.
type watcher struct {
	object  object
	changed func(runtime.Object)
	failed  func(error)
	news    chan struct{} // of one

	mu      sync.Mutex
	known   bool // whether there is a current
	current runtime.Object
	failing bool
	// fresh is whether current is to be told, and after it failure, if any.
	fresh   bool
	failure error
}

func newWatcher(o object, changed func(runtime.Object), failed func(error)) *watcher {
	return &watcher{object: o, changed: changed, failed: failed, news: make(chan struct{}, 1)}
}

// run tells what there is to tell, until ctx ends.
func (w *watcher) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.news:
		}
		w.mu.Lock()
		fresh, current, failure := w.fresh, w.current, w.failure
		w.fresh, w.failure = false, nil
		w.mu.Unlock()
		begun := time.Now()
		if fresh {
			w.changed(current)
		}
		pause := max(w.object.pause, idle*time.Since(begun))
		if failure != nil {
			w.failed(failure)
		}
		sleep(ctx, pause)
	}
}

// tell has run tell that; w.mu is held.
func (w *watcher) tell(fresh bool, failure error) {
	w.fresh, w.failure = w.fresh || fresh, failure
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// set takes in what the informer found.
func (w *watcher) set(obj runtime.Object) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.known, w.current = true, obj
	w.tell(true, nil)
}

// missing takes in that there was no object when the informer had synced.
func (w *watcher) missing() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.known {
		w.known = true
		w.tell(true, nil)
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
		w.tell(false, w.object.explain(err))
		return
	}
	if w.failing && w.known {
		w.tell(true, nil)
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
