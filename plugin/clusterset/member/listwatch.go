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
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/backoff"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/gate"
)

// listWatch lists and watches a resource for an informer, by a Reflector.
type listWatch struct {
	*informer
	source apiclient.Source
	slot   gate.Slot
	// refused is called with each error of a list or a watch before it is noted, whenListed
	// when a list was applied; nil is nothing. refused may end the run.
	refused    func(error)
	whenListed func()
	// pages counts those of the list in flight.
	pages int
	// watchFrom is when the next watch may begin.
	watchFrom time.Time
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
func (l *listWatch) run(ctx context.Context) {
	most := requiredMost
	if !l.Required {
		most = optionalMost
	}
	silent := klog.Logger{} // failures are logged by conditions
	r := cache.NewReflectorWithOptions(l.listerWatcher(), &decode.Object{}, &store{l}, cache.ReflectorOptions{
		Name:    l.Name,
		Logger:  &silent,
		Clock:   endingClock{ctx: ctx},
		Backoff: &wait.Backoff{Duration: firstPause, Factor: 2, Jitter: 0.5, Steps: 8, Cap: most},
	})
	r.RunWithContext(ctx)
	l.slot.Release()
}

func (l *listWatch) listerWatcher() cache.ListerWatcher {
	return listerWatcher{&cache.ListWatch{ListWithContextFunc: l.list, WatchFuncWithContext: l.watch}, l.session.plainLists}
}

// listerWatcher has client-go ask for streamed lists (KEP-3157), unless they are plain.
type listerWatcher struct {
	*cache.ListWatch
	plain bool
}

// IsWatchListSemanticsUnSupported is what client-go looks for.
func (l listerWatcher) IsWatchListSemanticsUnSupported() bool { return l.plain }

// list gets a list, or a page of one.
func (l *listWatch) list(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
	if err := l.beginList(ctx); err != nil {
		return nil, err
	}
	defer l.slot.Release()
	err := l.nextPage(o.Continue == "")
	if err != nil {
		l.failed(ctx, err)
		return nil, err
	}
	list, err := l.session.client.List(ctx, l.source, o, func(message []byte) (*decode.Object, error) {
		return l.object(message, watch.Added, true)
	})
	if err != nil && !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) { // then it lists the newest version
		l.reportRefused(err)
		l.failed(ctx, err)
	}
	return list, err
}

func (l *listWatch) reportRefused(err error) {
	if l.refused != nil {
		l.refused(err)
	}
}

// nextPage begins a list, or the next page of one.
func (l *listWatch) nextPage(first bool) error {
	if first {
		l.pages = 0
		l.beginCount()
	}
	if l.pages++; l.pages > maxPages {
		return decode.TooLarge("a list's pages", maxPages)
	}
	return nil
}

// beginCount is called before the first object of a list comes.
func (l *listWatch) beginCount() {
	l.session.cost[l.number].Store(0)
	l.session.only.begin(l.informer)
}

// object decodes an object, and adds its cost where it is part of a list: an event's is
// added when it is applied. An object of a list that isn't wanted is nil.
func (l *listWatch) object(message []byte, event watch.EventType, listing bool) (*decode.Object, error) {
	l.session.conns.CountObject()
	if !listing || event == watch.Bookmark {
		return l.Decode(message)
	}
	if event == watch.Added { // of any other event, the list may have an older version
		skips, err := l.session.only.skips(l.informer, message)
		if skips || err != nil {
			return nil, errors.Join(err, l.session.addCost(l.number, 1))
		}
	}
	o, err := l.Decode(message)
	if err == nil {
		l.session.only.strip(l.informer, o)
		err = l.session.addCost(l.number, o.Item.Cost())
	}
	return o, err
}

// watch goes on from the last watch or list; or it lists as well, where initial events are
// asked for (KEP-3157), until the store has them all.
func (l *listWatch) watch(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
	listing := o.SendInitialEvents != nil && *o.SendInitialEvents
	if listing {
		if err := l.beginList(ctx); err != nil {
			return nil, err
		}
		l.beginCount()
	} else {
		backoff.Pause(ctx, time.Until(l.watchFrom))
		l.watchFrom = time.Now().Add(watchPause)
	}
	w, err := l.session.client.Watch(ctx, l.source, o, l.eventObjects(listing), l.abortTooLarge)
	if err != nil {
		l.reportRefused(err)
		l.watchFailed(ctx, err, listing)
		return nil, err
	}
	if !listing {
		l.watchEstablished()
	}
	return &endingWatch{Interface: w, ended: func() { l.watchEnded() }}, nil
}

// eventObjects decodes the objects of a watch's events, which are a list until its
// bookmark.
func (l *listWatch) eventObjects(listing bool) apiclient.ObjectFunc {
	return func(message []byte, event watch.EventType) (*decode.Object, error) {
		o, err := l.object(message, event, listing)
		listing = listing && (o == nil || !o.EndsList)
		return o, err
	}
}

// watchFailed notes why there is no watch: the Reflector may retry without reporting it.
func (l *listWatch) watchFailed(ctx context.Context, err error, listing bool) {
	if listing {
		l.slot.Release()
		if failure.IsStatus(err) {
			return // an API without streamed lists: the Reflector asks for a plain one
		}
	}
	l.failed(ctx, err)
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
func (l *listWatch) beginList(ctx context.Context) error {
	l.setQueued(true)
	err := l.slot.Acquire(ctx)
	l.setQueued(false)
	if err != nil {
		return err
	}
	l.noteActivity(false)
	return nil
}

func (l *listWatch) setQueued(queued bool) {
	l.session.m.mu.Lock()
	defer l.session.m.mu.Unlock()
	l.queued = queued
}

func (l *listWatch) failed(ctx context.Context, err error) {
	if ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return
	}
	f := l.failureOf(err)
	if f.Reason == failure.TooLarge {
		l.session.abort(f)
		return
	}
	l.noteFailure(f)
	if f.OfConnection() {
		l.session.requestProbe()
	}
}

func (l *listWatch) failureOf(err error) *failure.Failure {
	return failure.Of(err, l.Name)
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
