package member

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/client-go/rest"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Log is what a Member tells its operator through: CoreDNS's plugin log.
type Log interface {
	Infof(format string, args ...any)
	Warningf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Options are fixed for a Member's life.
type Options struct {
	// Name is the member's, for the log.
	Name    string
	Log     Log
	Metrics Metrics
	// Gate bounds the lists that are under way in all members together; a list
	// holds one place in its buffer.
	Gate chan struct{}
	// Silence is how long a watch may tell nothing while the API is alive; 0 is
	// DefaultSilence.
	Silence time.Duration
	// EndpointPodNames has endpoints without a hostname named by their pods, as
	// CoreDNS's kubernetes plugin does with its endpoint_pod_names.
	EndpointPodNames bool
}

// Member watches one member's API.
type Member struct {
	options Options
	kinds   [kindCount]*kind
	view    atomic.Pointer[View]
	synced  chan struct{}   // closed with the first whole data
	ctx     context.Context //nolint:containedctx // of all its goroutines; Stop ends it
	cancel  context.CancelFunc
	running sync.WaitGroup
	lists   chan struct{} // of its own that may be under way: all places of the Gate but one
	share   *rate.Limiter // of the Gate's places
	pace    pace

	mu sync.Mutex
	// newest uses the credentials that count, live is the session whose data are
	// shown: that of newest, or of the ones before until newest has whole data.
	newest *attempts
	live   *session
	key    string // of newest's credentials
	data   *model.Data
	whole  bool
	// since is when a proof of life was seen last, while the data are stale.
	since time.Time
	uid   string // of the cluster that the data are from
	diary diary
}

var errNotSynced = errors.New("data not yet synced")

// Start begins a Member's life. It needs credentials.
func Start(o Options) *Member {
	if o.Silence == 0 {
		o.Silence = DefaultSilence
	}
	o.Log = &plainLog{inner: o.Log, since: time.Now()}
	m := &Member{options: o, kinds: newKinds(&texts{podNames: o.EndpointPodNames}), synced: make(chan struct{}), data: model.NewData()}
	m.share, m.pace = newShare(), newPace()
	m.lists = make(chan struct{}, max(cap(o.Gate)-1, 1))
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.diary = diary{o: &m.options}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.publish()
	return m
}

// View is what is known now. It costs one atomic load.
func (m *Member) View() *View { return m.view.Load() }

// Synced is closed when there are whole data for the first time.
func (m *Member) Synced() <-chan struct{} { return m.synced }

// Stop ends all that the Member does, and waits for it. Its data are gone.
func (m *Member) Stop() {
	m.mu.Lock() // against SetCredentials
	m.cancel()
	m.mu.Unlock()
	m.running.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.live, m.newest, m.whole, m.data = nil, nil, false, model.NewData()
	m.publish()
}

// SetCredentials gives the credentials to use from now on, or why there are none;
// then those it has stay in use, or c's if it has none. While new ones are tried,
// the session of those before goes on. Files that c names aren't read here.
func (m *Member) SetCredentials(c Credentials, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ctx.Err() != nil {
		return
	}
	if !c.none() && c.key() != m.key {
		var config *rest.Config
		var broken error
		if !c.files() {
			config, broken = c.restConfig()
		}
		switch {
		case broken == nil:
			m.key = c.key()
			m.try(&attempts{m: m, creds: c, config: config})
		case err == nil:
			err = broken
		}
	}
	if err == nil && c.none() {
		err = errors.New("kubeconfig: empty")
	}
	if err == nil {
		m.diary.clear(aboutKubeconfig)
	} else {
		m.diary.tell(aboutKubeconfig, &trouble{reason: BadKubeconfig, err: err})
	}
	m.publish()
}

// try begins attempts with new credentials.
func (m *Member) try(a *attempts) {
	if m.newest != nil && (m.live == nil || m.live.by != m.newest) {
		m.newest.cancel() // it has nothing to show
	}
	a.ctx, a.cancel = context.WithCancel(m.ctx)
	m.newest = a
	m.running.Go(func() {
		defer a.cancel()
		a.run()
	})
}

// rotated takes in that the files have changed which a's credentials name.
func (m *Member) rotated(a *attempts) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newest == a && m.ctx.Err() == nil {
		m.try(&attempts{m: m, creds: a.creds})
	}
}

// newer tells whether there are newer credentials than a's.
func (m *Member) newer(a *attempts) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.newest != a
}

// expires takes in when a's credentials do.
func (m *Member) expires(a *attempts, e expiry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newest == a {
		m.diary.expires(e, time.Now())
	}
}

// insecure takes in whether a's credentials have the server's certificate unchecked.
func (m *Member) insecure(a *attempts, insecure bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newest == a {
		m.diary.insecure(insecure)
	}
}
