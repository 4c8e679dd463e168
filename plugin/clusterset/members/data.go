package members

import (
	"sync"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/discovery"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/registry"
)

// sharedData are a member's data, or imports, watched. Server blocks share them, and so do the
// old and the new instance of a reload: nobody lists 10,000 services anew for a changed
// Corefile.
type sharedData struct {
	*member.Member
	key dataKey
	// stop ends the watching of the kubeconfig, stopped is closed by then, and setting waits for
	// its first value to be handled.
	stop           func()
	stopped        chan struct{}
	setting        sync.WaitGroup
	releaseMetrics func()
}

// dataKey tells apart whose data are watched with which credentials.
type dataKey struct {
	cluster string
	source  model.Kubeconfig // the zero value is the API of this CoreDNS
	api     string
	// podNames are part of the data.
	podNames bool
	// onlyExported are data without the Services that aren't exported.
	onlyExported bool
	// imports are the ServiceImports of the API, in place of a member's data.
	imports bool
}

var (
	allData registry.Registry[dataKey, *sharedData]
	// lists bounds the lists under way, of all members: kubernetes/kubernetes#139117.
	lists = make(chan struct{}, maxLists)
)

// maxLists is how many lists are under way at the same time, each of one kind: a list's
// garbage is several times what is kept of it.
const maxLists = 4

// acquireData begins, or shares, the watching of the member's data, until Release.
// API is nil outside a cluster without a kubeconfig of its own.
func (o *Options) acquireData(c *model.Cluster) *sharedData {
	key := dataKey{cluster: c.Name, source: c.Kubeconfig, podNames: c.EndpointPodNames, onlyExported: o.ExportsMarked}
	if o.API != nil && c.Kubeconfig.File == "" {
		key.api = o.API.Key()
	}
	shared, _ := allData.Acquire(key, func() (*sharedData, error) { return o.watchData(key), nil })
	return shared
}

func (o *Options) watchData(key dataKey) *sharedData {
	metrics, release := o.DataMetrics(key.cluster)
	s := &sharedData{key: key, releaseMetrics: release, stop: func() {}, stopped: make(chan struct{})}
	s.Member = member.Start(member.Options{
		Name: key.cluster, Log: o.Log, Metrics: metrics, Gate: lists, EndpointPodNames: key.podNames, OnlyExported: key.onlyExported,
	})
	if key.source == (model.Kubeconfig{}) {
		s.SetCredentials(member.Credentials{Config: o.API.Config()}, nil)
		return s
	}
	feed, err := discovery.KubeconfigFeed(o.API, key.source)
	if err != nil {
		s.SetCredentials(member.Credentials{}, err)
		return s
	}
	s.stop = subscribe(feed, func(k discovery.Kubeconfig) {
		select {
		case parsing <- struct{}{}:
			defer func() { <-parsing }()
			s.SetCredentials(member.Credentials{Kubeconfig: k.Content, Dir: k.Folder, Context: key.source.Context}, k.Err)
		case <-s.stopped:
		}
	}, s.setting.Go)
	return s
}

// parsing has kubeconfigs parsed one after the other, beside all else: one takes a while to
// parse, and until then the whole ClusterSet would not be in force.
var parsing = make(chan struct{}, 1)

// Release ends this user's part; the last one's ends the watching.
func (s *sharedData) Release() { allData.Release(s.key) }

// Close implements registry.Value.
func (s *sharedData) Close() {
	close(s.stopped)
	s.stop()
	s.setting.Wait()
	s.Stop()
	s.releaseMetrics()
}
