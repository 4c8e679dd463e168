package member

import (
	"errors"
	"sync"
	"sync/atomic"

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
}

// Credentials are how to get to an API: a kubeconfig, or a Config.
type Credentials struct {
	Kubeconfig []byte
	// Dir is the folder of the kubeconfig's file, where its relative paths start;
	// "" if it isn't from a file. Then it may name no files and run no commands.
	Dir string
	// Context is the kubeconfig's context to use, "" for its current one.
	Context string
	// Config is used instead where it isn't nil.
	Config *rest.Config
}

// Member watches one member's API.
type Member struct {
	options Options
	view    atomic.Pointer[View]
	synced  chan struct{}
	mu      sync.Mutex
}

// Start begins a Member's life. It needs credentials.
func Start(o Options) *Member {
	m := &Member{options: o, synced: make(chan struct{})}
	m.view.Store(&View{Data: model.NewData(), Err: errors.New("data not yet synced")})
	return m
}

// SetCredentials gives the credentials to use from now on, or why there are none;
// then those it has stay in use.
func (m *Member) SetCredentials(_ Credentials, _ error) {}

// View is what is known now. It costs one atomic load.
func (m *Member) View() *View { return m.view.Load() }

// Synced is closed when there are whole data for the first time.
func (m *Member) Synced() <-chan struct{} { return m.synced }

// Stop ends all that the Member does, and waits for it. Its data are gone.
func (m *Member) Stop() {}
