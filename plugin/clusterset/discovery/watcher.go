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

// watcher reports an object's changes and the API's errors. An informer alone tries again
// silently while the API refuses connections.
//
// Of several changes while one is being worked on, only the last is reported. An informer
// keeps them all, so that whoever may write the object fills the memory.
type watcher struct {
	object  object
	changed func(runtime.Object)
	failed  func(error)
	wake    chan struct{} // of one

	mu      sync.Mutex
	known   bool // whether current is known
	current runtime.Object
	failing bool
	// fresh is whether current is to be reported, and failure, if any, after it.
	fresh   bool
	failure error
}

func newWatcher(o object, changed func(runtime.Object), failed func(error)) *watcher {
	return &watcher{object: o, changed: changed, failed: failed, wake: make(chan struct{}, 1)}
}

// run reports what there is to report, until ctx ends.
func (w *watcher) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
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

// report has run report that; w.mu is held.
func (w *watcher) report(fresh bool, failure error) {
	w.fresh, w.failure = w.fresh || fresh, failure
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// set is called with what the informer found; nil is no object.
func (w *watcher) set(obj runtime.Object) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.known, w.current = true, obj
	w.report(true, nil)
}

// missing is called when the informer has synced without an object.
func (w *watcher) missing() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.known {
		w.known = true
		w.report(true, nil)
	}
}

// requested is called with how a request ended. After a failure, what is known is reported
// again: the informer does so only where it differs.
func (w *watcher) requested(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.failing = true
		w.report(false, w.object.explain(err))
		return
	}
	if w.failing && w.known {
		w.report(true, nil)
	}
	w.failing = false
}

// listWatch lists and watches the one object, and has the watcher know how that goes.
func (w *watcher) listWatch() *cache.ListWatch {
	o := w.object
	inner := cache.NewListWatchFromClient(o.api.client.CoreV1().RESTClient(), o.resource, o.name.Namespace,
		fields.OneTermEqualSelector("metadata.name", o.name.Name))
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			list, err := inner.ListWithContext(ctx, options)
			w.requested(ctx, err)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			events, err := inner.WatchWithContext(ctx, options)
			w.requested(ctx, err)
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
