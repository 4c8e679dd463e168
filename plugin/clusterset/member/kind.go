package member

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	source   source
	decode   func(message []byte) (*object, error)
	table
}

var errBroken = fmt.Errorf("the connection broke: %w", io.ErrUnexpectedEOF)

// feed is one kind in one session: what a Reflector lists and watches with.
type feed struct {
	*kind
	number  int // the kind's
	session *session
	source  source
	place   place
	// gone is called when the API says that it doesn't know the kind; nil is nothing.
	gone func()
	// pages is how many a list has had.
	pages int
	// watchFrom is when the next watch may begin.
	watchFrom time.Time

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
)

// watchPause is from one watch's beginning to the next one's, at the least: a
// Reflector goes on at once after a watch that brought anything before it ended.
const watchPause = time.Second

// run lists and watches until ctx ends.
func (f *feed) run(ctx context.Context) {
	most := requiredMost
	if !f.required {
		most = optionalMost
	}
	silent := klog.Logger{} // what goes wrong is told here
	r := cache.NewReflectorWithOptions(f.listerWatcher(), &object{}, &store{f}, cache.ReflectorOptions{
		Name:    f.name,
		Logger:  &silent,
		Clock:   endingClock{ctx: ctx},
		Backoff: &wait.Backoff{Duration: firstPause, Factor: 2, Jitter: 0.5, Steps: 8, Cap: most},
	})
	r.RunWithContext(ctx)
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
	err := f.nextPage(o.Continue == "")
	if err != nil {
		f.failed(ctx, err)
		return nil, err
	}
	list, err := f.session.client.list(ctx, f.source, o, func(message []byte) (*object, error) {
		return f.take(message, watch.Added, true)
	})
	if err != nil && !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) { // then it lists what is newest
		f.unlessGone(err)
		f.failed(ctx, err)
	}
	return list, err
}

// unlessGone ends the run of a kind that the API doesn't know, any more.
func (f *feed) unlessGone(err error) {
	if f.gone != nil && apierrors.IsNotFound(err) {
		f.gone()
	}
}

// nextPage begins a list, or goes on with one.
func (f *feed) nextPage(first bool) error {
	if first {
		f.pages = 0
		f.session.cost[f.number].Store(0)
	}
	if f.pages++; f.pages > maxPages {
		return tooLarge("a list's pages", maxPages)
	}
	return nil
}

// take makes an object of what came, and counts it where it is part of a list:
// else what it changes counts (Member.changed).
func (f *feed) take(message []byte, event watch.EventType, lists bool) (*object, error) {
	f.session.conns.pace.take(f.session.conns.ctx, objectCost)
	o, err := f.decode(message)
	if err == nil && lists && event != watch.Bookmark {
		err = f.session.count(f.number, o.item.cost())
	}
	return o, err
}

// watch goes on from where the last watch or list was; or lists as well, where
// initial events are asked for (KEP-3157), until the store has them all.
func (f *feed) watch(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
	lists := o.SendInitialEvents != nil && *o.SendInitialEvents
	if lists {
		if err := f.begin(ctx); err != nil {
			return nil, err
		}
		f.session.cost[f.number].Store(0)
	} else {
		pause(ctx, time.Until(f.watchFrom))
		f.watchFrom = time.Now().Add(watchPause)
	}
	w, err := f.session.client.watch(ctx, f.source, o, &decoder{decode: f.events(lists), failed: f.tooLarge})
	if err != nil {
		f.unlessGone(err)
		f.noWatch(ctx, err, lists)
		return nil, err
	}
	if !lists {
		f.session.m.watching(f)
	}
	return &endingWatch{Interface: w, ended: func() { f.session.m.unwatched(f) }}, nil
}

// events makes objects of a watch's events, which list until its bookmark says so.
func (f *feed) events(lists bool) func([]byte, watch.EventType) (*object, error) {
	return func(message []byte, event watch.EventType) (*object, error) {
		o, err := f.take(message, event, lists)
		lists = lists && err == nil && !o.last
		return o, err
	}
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
	if t.reason == TooLarge {
		f.session.spoil(t)
		return
	}
	f.session.m.failing(f, t)
	if t.ofConnection() {
		f.session.look()
	}
}

// tooLarge takes in an error of a watch's events, of which others just end it.
func (f *feed) tooLarge(err error) {
	if errors.Is(err, errTooLarge) {
		f.session.spoil(&trouble{reason: TooLarge, of: f.name, err: err})
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
