package member

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// kind is what is the same for all sessions about one kind of object.
type kind struct {
	name string // as in the API's paths
	// required kinds make data whole; without the others there are answers too.
	required bool
	example  runtime.Object
	convert  func(any) (item, error)
	table
}

// listWatch asks the API for one kind.
type listWatch struct {
	list  func(context.Context, metav1.ListOptions) (runtime.Object, error)
	watch func(context.Context, metav1.ListOptions) (watch.Interface, error)
}

// emptyWatch is what client-go gives instead of the error of a connection that
// broke before there was an answer.
var (
	emptyWatch = reflect.TypeOf(watch.NewEmptyWatch())
	errBroken  = fmt.Errorf("the connection broke: %w", io.ErrUnexpectedEOF)
)

// feed is one kind in one session: what a Reflector lists and watches with.
type feed struct {
	*kind
	session *session
	inner   listWatch
	place   place

	// Under the Member's lock:

	// pending are the items until the session's data are shown, then nil.
	pending map[string]item
	// listed is set by the first list, settled also by a failure that lasts.
	listed, settled bool
	// trouble is why it can't be listed or watched now.
	trouble *trouble
	// watched tells that its watch stands.
	watched  bool
	failures int // since it last was well
	// heard is when its list or watch last told anything; zero while neither is
	// under way. bookmarks tells that the watch does so though nothing changes.
	heard     time.Time
	bookmarks bool
}

// Pauses between a Reflector's tries. It is a required kind's way back to Fresh;
// for the others, one that is forbidden for ever, say, there is no hurry.
const (
	firstPause   = 500 * time.Millisecond
	requiredMost = 2 * time.Second
	optionalMost = 30 * time.Second
	steadyFor    = time.Minute
)

// run lists and watches until ctx ends.
func (f *feed) run(ctx context.Context) {
	most := requiredMost
	if !f.required {
		most = optionalMost
	}
	silent := klog.Logger{} // what goes wrong is told here
	r := cache.NewReflectorWithOptions(f.listerWatcher(), f.example, &store{f}, cache.ReflectorOptions{
		Name:    f.name,
		Logger:  &silent,
		Clock:   endingClock{ctx: ctx},
		Backoff: &wait.Backoff{Duration: firstPause, Factor: 2, Jitter: 0.5, Steps: 8, Cap: most},
	})
	r.RunWithContext(klog.NewContext(ctx, silent))
	f.place.exit()
}

func (f *feed) listerWatcher() cache.ListerWatcher {
	return plainOrStreamed{&cache.ListWatch{ListWithContextFunc: f.list, WatchFuncWithContext: f.watch}, f.session.plainLists}
}

// plainOrStreamed tells client-go whether lists may be streamed (KEP-3157).
type plainOrStreamed struct {
	*cache.ListWatch
	plain bool
}

// IsWatchListSemanticsUnSupported is what client-go asks for.
func (p plainOrStreamed) IsWatchListSemanticsUnSupported() bool { return p.plain }

// list lists, or a page of it.
func (f *feed) list(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
	if err := f.begin(ctx); err != nil {
		return nil, err
	}
	defer f.place.exit()
	list, err := f.inner.list(ctx, o)
	if err != nil && !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) { // then it lists what is newest
		f.failed(ctx, err)
	}
	return list, err
}

// watch goes on from where the last watch or list was; or lists as well, where
// initial events are asked for (KEP-3157), until the store has them all.
func (f *feed) watch(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
	lists := o.SendInitialEvents != nil && *o.SendInitialEvents
	if lists {
		if err := f.begin(ctx); err != nil {
			return nil, err
		}
	}
	w, err := f.inner.watch(ctx, o)
	if err == nil && reflect.TypeOf(w) == emptyWatch {
		err = errBroken
	}
	if err != nil {
		f.noWatch(ctx, err, lists)
		return nil, err
	}
	if !lists {
		f.session.m.watching(f)
	}
	return &endingWatch{Interface: w, ended: func() { f.session.m.unwatched(f) }}, nil
}

// noWatch takes in why there is none: the Reflector may try again without a word.
func (f *feed) noWatch(ctx context.Context, err error, lists bool) {
	if lists {
		f.place.exit()
		if isStatus(err) {
			return // an API that can't, or won't: the Reflector asks for a list
		}
	}
	f.failed(ctx, err)
}

// endingWatch tells when the Reflector has done with it, which is when its stream
// has ended: it won't say so where it means to go on, and may then wait a while.
type endingWatch struct {
	watch.Interface
	ended func()
}

// Stop is what a Reflector calls last.
func (w *endingWatch) Stop() {
	w.Interface.Stop()
	w.ended()
}

// begin waits until the list may begin.
func (f *feed) begin(ctx context.Context) error {
	if err := f.place.enter(ctx); err != nil {
		return err
	}
	f.session.m.heard(f, false)
	return nil
}

func (f *feed) failed(ctx context.Context, err error) {
	if ctx.Err() != nil || errors.Is(err, context.Canceled) {
		return
	}
	t := &trouble{reason: classify(err), of: f.name, err: plain(err)}
	f.session.m.failing(f, t)
	if t.ofConnection() {
		f.session.look()
	}
}

// endingClock doesn't let a Reflector sleep when its context has ended: it waits
// without looking at it when a streamed list is refused.
type endingClock struct {
	clock.RealClock
	ctx context.Context //nolint:containedctx // of the Reflector's run
}

// After fires after d, or at the end.
func (c endingClock) After(d time.Duration) <-chan time.Time {
	fired := make(chan time.Time, 2) // by both, at worst
	stop := context.AfterFunc(c.ctx, func() { fired <- time.Now() })
	time.AfterFunc(d, func() {
		stop()
		fired <- time.Now()
	})
	return fired
}
