package member

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
)

// session is one try at an API: connections of its own, the lists, the watches
// that follow, and what proves them alive. It ends with its first trouble, and
// nothing of it is written to the data after that.
type session struct {
	m      *Member
	by     *attempts
	conns  *conns
	client *client
	feeds  [kindCount]*feed
	// plainLists are for an API whose streamed ones never ended.
	plainLists bool
	// looked asks for a probe at once.
	looked chan struct{}
	began  time.Time
	// sign is when something proved the API alive, in nanoseconds after began.
	sign atomic.Int64
	// untidy tells of a big list's garbage.
	untidy atomic.Bool

	// spoiled is what it was ended for by one of its kinds; stop ends it.
	spoiled atomic.Pointer[trouble]
	stop    context.CancelFunc
	// cost is what each kind counts as, while it is listed and after (maxObjects).
	cost [kindCount]atomic.Int64

	// Under the Member's lock:

	// uid is that of the cluster (of its namespace kube-system), "" if we may not
	// see it.
	uid         string
	over, shown bool
	// waited is set when the kinds that aren't required had their time.
	waited, giving bool
	derived        derived // nil while namespaces are listed
}

// relistDelay spreads the lists of those who lost their API at the same time: a
// load balancer's restart must not have a thousand members list at once
// (kubernetes/kubernetes#139117).
const relistDelay = 700 * time.Millisecond

func newSession(by *attempts, config *rest.Config) (*session, error) {
	s := &session{
		m: by.m, by: by, conns: newConns(by.ctx, by.m.pace), plainLists: by.plainLists,
		looked: make(chan struct{}, 1), began: time.Now(),
	}
	var err error
	if s.client, err = newClient(config, s.conns, &by.token); err != nil {
		s.conns.close()
		return nil, err
	}
	for n, k := range s.m.kinds {
		s.feeds[n] = &feed{kind: k, number: n, session: s, source: k.source, place: place{gate: s.m.options.Gate, own: s.m.lists, share: s.m.share}}
	}
	return s, nil
}

// run goes on until the session's first trouble, or until ctx ends.
func (s *session) run(ctx context.Context) *trouble {
	// What goes wrong is told here; client-go's own lines would repeat it as it is.
	ctx, s.stop = context.WithCancel(klog.NewContext(ctx, klog.Logger{}))
	var running sync.WaitGroup
	t := s.work(ctx, &running)
	if spoiled := s.spoiled.Load(); spoiled != nil {
		t = spoiled
	}
	s.m.ended(s, t)
	s.stop()
	s.conns.close()
	running.Wait()
	return t
}

func (s *session) work(ctx context.Context, running *sync.WaitGroup) *trouble {
	if t := s.probe(ctx, s.by.patience()); t != nil {
		return t
	}
	if s.m.meet(s) {
		pause(ctx, between(0, relistDelay))
	}
	for _, n := range []int{services, endpointSlices, namespaces} {
		running.Go(func() { s.feeds[n].run(ctx) })
	}
	running.Go(func() { s.watchExports(ctx) })
	return s.stayAlive(ctx)
}

// spoil ends the session for what one of its kinds brought.
func (s *session) spoil(t *trouble) {
	s.spoiled.CompareAndSwap(nil, t)
	s.stop()
}

// count takes in that a kind counts as that many objects more, or fewer.
func (s *session) count(kind, objects int) error {
	s.cost[kind].Add(int64(objects))
	total := int64(0)
	for n := range s.cost {
		total += s.cost[n].Load()
	}
	if total > maxObjects {
		return tooLarge("objects", maxObjects)
	}
	return nil
}

// alive notes a sign of life.
func (s *session) alive() { s.sign.Store(int64(time.Since(s.began))) }

// lastSign is when there was one.
func (s *session) lastSign() time.Time { return s.began.Add(time.Duration(s.sign.Load())) }

// look asks for a probe now.
func (s *session) look() {
	select {
	case s.looked <- struct{}{}:
	default:
	}
}

func (s *session) required() []*feed { return s.feeds[services : endpointSlices+1] }

// complete tells whether all that has to be listed is, and whether the rest is,
// or can't be.
func (s *session) complete() (whole, settled bool) {
	whole, settled = true, true
	for _, f := range s.feeds {
		whole = whole && (f.listed || !f.required)
		settled = settled && (f.listed || f.settled)
	}
	return whole, settled
}

// wrong is the trouble of a required kind.
func (s *session) wrong() *trouble {
	for _, f := range s.required() {
		if f.trouble != nil {
			return f.trouble
		}
	}
	return nil
}
