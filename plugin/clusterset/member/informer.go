package member

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apiclient"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
)

// informer lists and watches one resource in one session, by a Reflector.
type informer struct {
	*resource
	number  int // the resource's
	session *session
	source  apiclient.Source
	slot    slot
	// notServed is called when the API doesn't serve the resource; nil is nothing.
	notServed func()
	// pages counts those of the list in flight.
	pages int
	// watchFrom is when the next watch may begin.
	watchFrom time.Time

	// Under the Member's lock:

	// pending are the items until the session's data are published, then nil.
	pending map[string]decode.Item
	// listed is set by the first list, settled also by a failure that lasts.
	listed, settled bool
	// failure is why it isn't listed or watched now.
	failure *failure
	// watched is set while its watch is established, absent while the API doesn't serve
	// the resource.
	watched, absent bool
	failures        int // since it last succeeded
	// active is when its list or watch last sent anything, zero while neither is in
	// flight. bookmarks is set where the watch does so though nothing changes.
	active    time.Time
	bookmarks bool
}

// Pauses between a Reflector's tries. It is a required resource's way back to Fresh; the
// others, one that stays forbidden say, may take their time.
const (
	firstPause   = 500 * time.Millisecond
	requiredMost = 2 * time.Second
	optionalMost = 30 * time.Second
)

// watchPause is the least time from one watch's beginning to the next one's: a Reflector
// goes on at once after a watch that sent anything before it ended.
const watchPause = time.Second

// maxPages bounds a list whose pages never end.
const maxPages = 1000

// run lists and watches until ctx ends.
func (i *informer) run(ctx context.Context) {
	most := requiredMost
	if !i.required {
		most = optionalMost
	}
	silent := klog.Logger{} // failures are logged by conditions
	r := cache.NewReflectorWithOptions(i.listerWatcher(), &decode.Object{}, &store{i}, cache.ReflectorOptions{
		Name:    i.name,
		Logger:  &silent,
		Clock:   endingClock{ctx: ctx},
		Backoff: &wait.Backoff{Duration: firstPause, Factor: 2, Jitter: 0.5, Steps: 8, Cap: most},
	})
	r.RunWithContext(ctx)
	i.slot.release()
}

func (i *informer) listerWatcher() cache.ListerWatcher {
	return listerWatcher{&cache.ListWatch{ListWithContextFunc: i.list, WatchFuncWithContext: i.watch}, i.session.plainLists}
}

// listerWatcher has client-go ask for streamed lists (KEP-3157), unless they are plain.
type listerWatcher struct {
	*cache.ListWatch
	plain bool
}

// IsWatchListSemanticsUnSupported is what client-go looks for.
func (l listerWatcher) IsWatchListSemanticsUnSupported() bool { return l.plain }

// list gets a list, or a page of one.
func (i *informer) list(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
	if err := i.beginList(ctx); err != nil {
		return nil, err
	}
	defer i.slot.release()
	err := i.nextPage(o.Continue == "")
	if err != nil {
		i.failed(ctx, err)
		return nil, err
	}
	list, err := i.session.client.List(ctx, i.source, o, func(message []byte) (*decode.Object, error) {
		return i.object(message, watch.Added, true)
	})
	if err != nil && !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) { // then it lists the newest version
		i.checkServed(err)
		i.failed(ctx, err)
	}
	return list, err
}

// checkServed ends the run of a resource that the API doesn't serve, any more.
func (i *informer) checkServed(err error) {
	if i.notServed != nil && apierrors.IsNotFound(err) {
		i.notServed()
	}
}

// nextPage begins a list, or the next page of one.
func (i *informer) nextPage(first bool) error {
	if first {
		i.pages = 0
		i.session.cost[i.number].Store(0)
	}
	if i.pages++; i.pages > maxPages {
		return decode.TooLarge("a list's pages", maxPages)
	}
	return nil
}

// object decodes an object, and adds its cost where it is part of a list: an event's is
// added when it is applied.
func (i *informer) object(message []byte, event watch.EventType, listing bool) (*decode.Object, error) {
	i.session.conns.CountObject()
	o, err := i.decode(message)
	if err == nil && listing && event != watch.Bookmark {
		err = i.session.addCost(i.number, o.Item.Cost())
	}
	return o, err
}

// watch goes on from the last watch or list; or it lists as well, where initial events are
// asked for (KEP-3157), until the store has them all.
func (i *informer) watch(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
	listing := o.SendInitialEvents != nil && *o.SendInitialEvents
	if listing {
		if err := i.beginList(ctx); err != nil {
			return nil, err
		}
		i.session.cost[i.number].Store(0)
	} else {
		pause(ctx, time.Until(i.watchFrom))
		i.watchFrom = time.Now().Add(watchPause)
	}
	w, err := i.session.client.Watch(ctx, i.source, o, i.eventObjects(listing), i.abortTooLarge)
	if err != nil {
		i.checkServed(err)
		i.watchFailed(ctx, err, listing)
		return nil, err
	}
	if !listing {
		i.session.m.watchEstablished(i)
	}
	return &endingWatch{Interface: w, ended: func() { i.session.m.watchEnded(i) }}, nil
}

// eventObjects decodes the objects of a watch's events, which are a list until its
// bookmark.
func (i *informer) eventObjects(listing bool) apiclient.ObjectFunc {
	return func(message []byte, event watch.EventType) (*decode.Object, error) {
		o, err := i.object(message, event, listing)
		listing = listing && err == nil && !o.EndsList
		return o, err
	}
}

// watchFailed notes why there is no watch: the Reflector may retry without reporting it.
func (i *informer) watchFailed(ctx context.Context, err error, listing bool) {
	if listing {
		i.slot.release()
		if isStatus(err) {
			return // an API without streamed lists: the Reflector asks for a plain one
		}
	}
	i.failed(ctx, err)
}

// endingWatch calls ended when the Reflector is done with the watch, which is when its
// stream has ended: the Reflector doesn't report that where it means to go on.
type endingWatch struct {
	watch.Interface
	ended func()
}

// Stop is what a Reflector calls last.
func (w *endingWatch) Stop() {
	w.Interface.Stop()
	w.ended()
}

// beginList waits for a slot.
func (i *informer) beginList(ctx context.Context) error {
	if err := i.slot.acquire(ctx); err != nil {
		return err
	}
	i.session.m.noteActivity(i, false)
	return nil
}

func (i *informer) failed(ctx context.Context, err error) {
	if ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return
	}
	f := &failure{reason: classify(err), resource: i.name, err: plain(err)}
	if f.reason == TooLarge {
		i.session.abort(f)
		return
	}
	i.session.m.informerFailed(i, f)
	if f.ofConnection() {
		i.session.requestProbe()
	}
}

// abortTooLarge ends the session for an event that is too large; other errors just end
// the watch.
func (i *informer) abortTooLarge(err error) {
	if errors.Is(err, decode.ErrTooLarge) {
		i.session.abort(&failure{reason: TooLarge, resource: i.name, err: err})
	}
}

// endingClock wakes a Reflector when its context ends: it sleeps without looking at it
// when a streamed list is refused.
type endingClock struct {
	clock.RealClock
	ctx context.Context //nolint:containedctx // of the Reflector's run
}

// After fires after d, or at the context's end.
func (c endingClock) After(d time.Duration) <-chan time.Time {
	fired := make(chan time.Time, 1)
	ctx, cancel := context.WithTimeout(c.ctx, d)
	context.AfterFunc(ctx, func() {
		cancel()
		fired <- time.Now()
	})
	return fired
}
