package member

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/client-go/rest"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apiclient"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/backoff"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/conditions"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/credentials"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/decode"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/gate"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/liveness"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/resources"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// Log is the operator's: CoreDNS's plugin log.
type Log = conditions.Log

// Credentials are how to reach a member's API.
type Credentials = credentials.Credentials

// Options are fixed for a Member's life.
type Options struct {
	// Name is the member's, for the log; imports have none.
	Name    string
	Log     Log
	Metrics Metrics
	// Gate bounds the lists in flight of all members together; its buffer has a slot for
	// each.
	Gate chan struct{}
	// Silence is how long a watch may be silent while the API is alive; 0 is
	// DefaultSilence.
	Silence time.Duration
	// EndpointPodNames has endpoints without a hostname named by their pods, as
	// CoreDNS's kubernetes plugin does with its endpoint_pod_names.
	EndpointPodNames bool
	// OnlyExported has Services that aren't exported dropped, with their EndpointSlices.
	OnlyExported bool
	// Imports has ServiceImports watched (KEP-1645), with the EndpointSlices that are
	// imported with them, in place of a member's Services: the View's Services are the
	// imports. An API that doesn't serve them, or forbids to read them, has none.
	Imports bool
}

// subject is what the log's lines are about.
func (o *Options) subject() string {
	if o.Imports {
		return "Imports of the local API"
	}
	return "Member " + o.Name
}

// Member watches one member's API.
type Member struct {
	state
	cancel  context.CancelFunc
	running sync.WaitGroup
	lists   chan struct{} // slots for its own lists: all of the Gate's but one
	share   *rate.Limiter // of the Gate's slots
	limiter apiclient.Limiter
	key     string // of newest's credentials, under the lock
}

// state is a Member's data, with the sessions that they come from.
type state struct {
	options   Options
	resources []*resources.Resource
	view      atomic.Pointer[View]
	details   atomic.Pointer[status.DataDetails]
	synced    chan struct{}   // closed with the first whole data
	ctx       context.Context //nolint:containedctx // of all goroutines; Stop ends it
	// lookAgain and askTime are mcsPause and liveness.AskTime, but in tests.
	lookAgain time.Duration
	askTime   time.Duration

	mu sync.Mutex
	// newest has the current credentials. live is the session that the data are from:
	// newest's, or one with older credentials until newest has whole data.
	newest *connector
	live   *session
	// connected is the newest session of an API that is alive.
	connected *session
	data      *model.Data
	whole     bool
	// since is when the API was last proven alive, while the data are stale.
	since      time.Time
	uid        string // of the cluster that the data are from
	conditions conditions.Conditions
}

// mcsPause is about how long it takes until a CRD is noticed that was installed just after
// it was looked for; the longer there is none, the more seldom it is looked for, as an API
// that nobody means to install it in isn't to be asked each minute. mcsGrowth is how many
// times longer at the most: about as often as watches are renewed.
const (
	mcsPause  = time.Minute
	mcsGrowth = 8
)

var errNotSynced = errors.New("data not yet synced")

// Start starts a Member. It does nothing until it has credentials.
func Start(o Options) *Member {
	if o.Silence == 0 {
		o.Silence = DefaultSilence
	}
	o.Log = conditions.Bounded(o.Log)
	m := &Member{
		state: state{
			options: o, resources: resources.OfMember(&decode.Decoder{PodNames: o.EndpointPodNames}),
			synced: make(chan struct{}), data: model.NewData(), lookAgain: mcsPause, askTime: liveness.AskTime,
		},
		lists: make(chan struct{}, max(cap(o.Gate)-1, 1)), share: gate.NewShare(), limiter: apiclient.NewLimiter(),
	}
	if o.Imports {
		m.resources = resources.OfImports(new(decode.Decoder))
	}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.conditions = conditions.New(o.subject(), o.Log, conditions.Counters{Troubles: o.Metrics.Troubles})
	m.mu.Lock()
	defer m.mu.Unlock()
	m.publish()
	return m
}

// lookouts are the pauses between looking for a CRD.
func (m *state) lookouts() backoff.Growing {
	return backoff.Growing{Least: m.lookAgain, Most: mcsGrowth * m.lookAgain}
}

// View returns what is known now. It costs one atomic load.
func (m *Member) View() *View { return m.view.Load() }

// Synced is closed when there are whole data for the first time.
func (m *Member) Synced() <-chan struct{} { return m.synced }

// Stop ends the Member and waits for its end. Its data are dropped.
func (m *Member) Stop() {
	m.mu.Lock() // against SetCredentials
	m.cancel()
	m.mu.Unlock()
	m.running.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.live, m.connected, m.newest, m.whole, m.data = nil, nil, nil, false, model.NewData()
	m.publish()
}

// SetCredentials sets the credentials to use from now on, or err, why there are none: then
// those of before stay in use, or c where there were none. The session of those before
// goes on while new ones are tried. It reads no files.
func (m *Member) SetCredentials(c Credentials, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ctx.Err() != nil {
		return
	}
	if !c.IsEmpty() && c.Key() != m.key {
		var config *rest.Config
		var invalid error
		if !c.ReadsFiles() {
			config, invalid = c.RESTConfig()
		}
		switch {
		case invalid == nil:
			m.key = c.Key()
			m.connect(&connector{m: m, files: credentials.Reader{Credentials: c, Config: config}})
		case err == nil:
			err = invalid
		}
	}
	if err == nil && c.IsEmpty() {
		err = errors.New("kubeconfig: empty")
	}
	if err == nil {
		m.conditions.Clear(conditions.Kubeconfig)
	} else {
		m.conditions.Set(conditions.Kubeconfig, &failure.Failure{Reason: failure.BadKubeconfig, Err: err})
	}
	m.publish()
}

// connect starts a connector with new credentials.
func (m *Member) connect(c *connector) {
	if m.newest != nil && (m.live == nil || m.live.connector != m.newest) {
		m.newest.cancel() // no data are from it
	}
	c.ctx, c.cancel = context.WithCancel(m.ctx)
	m.newest = c
	m.running.Go(func() {
		defer c.cancel()
		c.run()
	})
}

// reconnect starts anew where the files have changed that c's credentials name.
func (m *Member) reconnect(c *connector) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newest == c && m.ctx.Err() == nil {
		m.connect(&connector{m: m, files: credentials.Reader{Credentials: c.files.Credentials}})
	}
}

// isSuperseded reports whether there are newer credentials than c's.
func (m *Member) isSuperseded(c *connector) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.newest != c
}

// setExpiry notes when c's credentials expire.
func (m *Member) setExpiry(c *connector, e credentials.Expiry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newest == c {
		m.conditions.SetExpiry(e, time.Now())
		m.publishDetails()
	}
}

// setInsecure notes whether c's credentials leave the server's certificate unverified.
func (m *Member) setInsecure(c *connector, insecure bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newest == c {
		m.conditions.SetInsecure(insecure)
		m.publishDetails()
	}
}

// connectFailed notes what kept a session from beginning.
func (m *Member) connectFailed(c *connector, f *failure.Failure) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newest == c {
		m.conditions.Set(conditions.API, f)
		m.publish()
	}
}
