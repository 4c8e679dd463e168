package member

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
)

// session is one try at an API: connections of its own, the lists, the watches
// that follow, and what proves them alive. It ends with its first trouble, and
// nothing of it is written to the data after that.
type session struct {
	m       *Member
	by      *attempts
	conns   *conns
	clients *clients
	feeds   [kindCount]*feed
	// plainLists are for an API whose streamed ones never ended.
	plainLists bool
	// looked asks for a probe at once.
	looked chan struct{}
	began  time.Time
	// sign is when something proved the API alive, in nanoseconds after began.
	sign atomic.Int64
	// untidy tells of a big list's garbage.
	untidy atomic.Bool

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
		m: by.m, by: by, conns: newConns(by.ctx), plainLists: by.plainLists,
		looked: make(chan struct{}, 1), began: time.Now(),
	}
	var err error
	if s.clients, err = newClients(config, s.conns); err != nil {
		s.conns.close()
		return nil, err
	}
	for n, k := range s.m.kinds {
		s.feeds[n] = &feed{kind: k, session: s, place: place{gate: s.m.options.Gate}}
	}
	s.feeds[services].inner = asking(s.clients.core.Services("").List, s.clients.core.Services("").Watch)
	s.feeds[endpointSlices].inner = asking(s.clients.discovery.EndpointSlices("").List, s.clients.discovery.EndpointSlices("").Watch)
	metadata := s.clients.metadata.Resource(namespaceResource)
	s.feeds[namespaces].inner = asking(metadata.List, metadata.Watch)
	return s, nil
}

// asking makes a listWatch of a client's methods.
func asking[T runtime.Object](
	list func(context.Context, metav1.ListOptions) (T, error), watch func(context.Context, metav1.ListOptions) (watch.Interface, error),
) listWatch {
	return listWatch{watch: watch, list: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
		return list(ctx, o)
	}}
}

// run goes on until the session's first trouble, or until ctx ends.
func (s *session) run(ctx context.Context) *trouble {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	t := s.work(ctx, &running)
	s.m.ended(s, t)
	cancel()
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
