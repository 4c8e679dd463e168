package member

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apiclient"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/backoff"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/garbage"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/gate"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/liveness"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/resources"
)

// session is one try at an API: connections of its own, lists, the watches that follow,
// and the probes that prove the API alive. It ends with its first failure, and writes
// nothing to the data after that.
type session struct {
	m         *Member
	connector *connector
	conns     *apiclient.Conns
	client    *apiclient.Client
	informers []*informer
	// only is nil where everything is kept.
	only *onlyExported
	// plainLists is set for an API whose streamed lists never ended.
	plainLists bool
	// probeNow asks for a probe at once.
	probeNow chan struct{}
	proofs   liveness.Proofs
	garbage  garbage.Garbage

	ctx     context.Context //nolint:containedctx // of all its goroutines; stop ends it
	stop    context.CancelFunc
	running sync.WaitGroup
	// aborted is the failure of an informer that ended the session.
	aborted atomic.Pointer[failure.Failure]
	// cost is what each resource counts as, while it is listed and after.
	cost resources.Costs

	// Under the Member's lock:

	// uid is the cluster's (that of its namespace kube-system), "" where it is forbidden.
	uid string
	// over is set at the end, synced once the data are from this session.
	over, synced bool
	// waiting is set while the optional resources have time to be listed, waited after it.
	waiting, waited bool
	derived         resources.DerivedNamespaces // nil while namespaces are listed
}

// relistDelay spreads the lists of those who lost their API at the same time: a load
// balancer's restart must not have a thousand members list at once
// (kubernetes/kubernetes#139117).
const relistDelay = 700 * time.Millisecond

func newSession(c *connector, config *rest.Config) (*session, error) {
	s := &session{
		m: c.m, connector: c, conns: apiclient.NewConns(c.ctx, c.m.limiter), plainLists: c.plainLists,
		probeNow: make(chan struct{}, 1), proofs: liveness.Proofs{Began: time.Now(), AskTime: c.m.askTime},
	}
	var err error
	if s.client, err = apiclient.New(config, s.conns, &c.token); err != nil {
		s.conns.Close()
		return nil, err
	}
	for n, r := range s.m.resources {
		s.informers = append(s.informers, &informer{Resource: r, number: n, session: s})
	}
	if s.m.options.OnlyExported && !s.m.options.Imports {
		s.only = newOnlyExported(s)
	}
	return s, nil
}

// run returns at the session's first failure, or when ctx ends.
func (s *session) run(ctx context.Context) *failure.Failure {
	// Failures are logged here; client-go's own lines would repeat them unquoted.
	s.ctx, s.stop = context.WithCancel(klog.NewContext(ctx, klog.Logger{}))
	f := s.work()
	if aborted := s.aborted.Load(); aborted != nil {
		f = aborted
	}
	s.m.sessionEnded(s, f)
	s.stop()
	s.conns.Close()
	s.running.Wait()
	return f
}

func (s *session) work() *failure.Failure {
	if f := s.probe(s.ctx, backoff.TryTimeout(s.connector.failed)); f != nil {
		return f
	}
	if s.m.sessionConnected(s) {
		backoff.Pause(s.ctx, backoff.Between(0, relistDelay))
	}
	if s.m.options.Imports {
		s.running.Go((&imports{s, s.listWatch(resources.Services), s.listWatch(resources.EndpointSlices)}).watch)
		return s.stayAlive(s.ctx)
	}
	if s.only != nil {
		s.running.Go(s.only.watch)
		return s.stayAlive(s.ctx)
	}
	for n := range s.informers {
		l := s.listWatch(n)
		if n == resources.Exports {
			s.running.Go(l.watchExports)
			continue
		}
		s.running.Go(func() { l.run(s.ctx) })
	}
	return s.stayAlive(s.ctx)
}

func (s *session) listWatch(n int) *listWatch {
	i := s.informers[n]
	return &listWatch{informer: i, source: i.Source, slot: gate.Slot{Gate: s.m.options.Gate, Own: s.m.lists, Share: s.m.share}}
}

// abort ends the session for what came to one of its informers.
func (s *session) abort(f *failure.Failure) {
	s.aborted.CompareAndSwap(nil, f)
	s.stop()
}

// addCost adds to what a resource counts as.
func (s *session) addCost(resource, objects int) error { return s.cost.Add(resource, objects) }

// noteAlive notes that something that the API sent proved it alive just now.
func (s *session) noteAlive() { s.proofs.NoteWord() }

// requestProbe asks for a probe now.
func (s *session) requestProbe() {
	select {
	case s.probeNow <- struct{}{}:
	default:
	}
}

func (s *session) required() []*informer {
	return s.informers[resources.Services : resources.EndpointSlices+1]
}

// complete reports whether all required resources are listed, and whether the others are,
// or can't be.
func (s *session) complete() (whole, settled bool) {
	whole, settled = true, true
	for _, i := range s.informers {
		whole = whole && (i.listed || !i.Required)
		settled = settled && (i.listed || i.settled)
	}
	return whole, settled
}

// failure returns that of a required resource, nil where there is none.
func (s *session) failure() *failure.Failure {
	for _, i := range s.required() {
		if i.failure != nil {
			return i.failure
		}
	}
	return nil
}
