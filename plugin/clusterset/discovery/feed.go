package discovery

import (
	"context"
	"sync"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Update is what a source said last.
type Update struct {
	// Set is the last good ClusterSet, nil before the first.
	Set *model.ClusterSet
	// Err is what is wrong with the document now in the source, nil when it is
	// the one that gave Set.
	Err error
}

// Feed is a running source that any number of plugin instances share: those of
// several server blocks, and, while a Corefile is reloaded, the old one and the
// new one. So a reload asks nobody anew and can't lose the last good ClusterSet.
type Feed struct {
	key    string
	cancel context.CancelFunc
	done   chan struct{}
	first  chan struct{} // closed after the first update

	mu          sync.Mutex
	update      Update
	observe     func(Update)
	subscribers map[*subscriber]struct{}
}

type subscriber struct{ notify func(Update) }

// source reports documents, as they appear, until ctx ends.
type source interface {
	run(ctx context.Context, report reporter)
}

// reporter takes in documents by their keys, or why there are none. It gives
// what is wrong with them when that was not known yet.
type reporter func(documents map[string]string, err error) error

// feeds are the running ones, by key.
var feeds = struct {
	sync.Mutex
	byKey map[string]*Feed
	users map[*Feed]int
}{byKey: make(map[string]*Feed), users: make(map[*Feed]int)}

// acquire gives the feed of that key, which make's source feeds if it isn't
// running yet. observe is told of every update once, whoever subscribes.
func acquire(key string, observe func(Update), make func() (source, error)) (*Feed, error) {
	feeds.Lock()
	defer feeds.Unlock()
	if f, running := feeds.byKey[key]; running {
		feeds.users[f]++
		return f, nil
	}
	s, err := make()
	if err != nil {
		return nil, err
	}
	f := newFeed(key, observe)
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	feeds.byKey[key] = f
	feeds.users[f] = 1
	go func() {
		defer close(f.done)
		s.run(ctx, f.report)
	}()
	return f, nil
}

func newFeed(key string, observe func(Update)) *Feed {
	return &Feed{
		key: key, done: make(chan struct{}), first: make(chan struct{}),
		observe: observe, subscribers: make(map[*subscriber]struct{}),
	}
}

// Release ends this user's part in the feed; the last one stops it and waits
// for that.
func (f *Feed) Release() {
	feeds.Lock()
	feeds.users[f]--
	last := feeds.users[f] == 0
	if last {
		delete(feeds.users, f)
		delete(feeds.byKey, f.key)
	}
	feeds.Unlock()
	if last {
		f.cancel()
		<-f.done
	}
}

// Wait returns after the first update, good or bad, or when ctx ends.
func (f *Feed) Wait(ctx context.Context) {
	select {
	case <-f.first:
	case <-ctx.Done():
	}
}

// Subscribe calls notify with the update there is, if any, and with each that
// follows, one at a time. No call is made after cancel has returned; cancel may
// not be called from notify.
func (f *Feed) Subscribe(notify func(Update)) (cancel func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &subscriber{notify}
	f.subscribers[s] = struct{}{}
	if f.update != (Update{}) {
		notify(f.update)
	}
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.subscribers, s)
	}
}

// Last is the newest update.
func (f *Feed) Last() Update {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.update
}

// report is the feed's reporter.
func (f *Feed) report(documents map[string]string, err error) error {
	var set *model.ClusterSet
	if err == nil {
		set, err = Parse(documents)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if sameError(err, f.update.Err) {
		return nil // still the same trouble: told once
	}
	f.update.Err = err
	if err == nil {
		f.update.Set = set
	}
	f.observe(f.update)
	for s := range f.subscribers {
		s.notify(f.update)
	}
	select {
	case <-f.first:
	default:
		close(f.first)
	}
	return err
}

func sameError(a, b error) bool {
	return a != nil && b != nil && a.Error() == b.Error()
}
