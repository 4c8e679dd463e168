package clusterset

import (
	"sync"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/discovery"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// memberAPI is a member whose data are watched. Server blocks share it, and so do
// the old and the new instance of a reload: nobody lists 10,000 services anew for
// a changed Corefile.
type memberAPI struct {
	*member.Member
	key     apiKey
	users   int // under memberAPIs' lock
	metrics *memberMetrics
	stop    func() // ends the watching of the kubeconfig
}

// apiKey tells apart whose data are watched with which credentials.
type apiKey struct {
	cluster string
	source  model.Kubeconfig // the zero value is the API of this CoreDNS
	api     string
	// podNames are part of the data.
	podNames bool
}

var memberAPIs = struct {
	sync.Mutex
	byKey map[apiKey]*memberAPI
	// lists bounds the lists under way, of all members: kubernetes/kubernetes#139117.
	lists chan struct{}
}{byKey: make(map[apiKey]*memberAPI), lists: make(chan struct{}, maxLists)}

// maxLists is how many lists are under way at the same time, each of one kind: a
// list's garbage is several times what is kept of it.
const maxLists = 4

// acquireAPI begins, or shares, the watching of the member's data, until release.
// api is nil outside a cluster without a kubeconfig of its own.
func acquireAPI(c *model.Cluster, api *discovery.API) *memberAPI {
	key := apiKey{cluster: c.Name, source: c.Kubeconfig, podNames: c.EndpointPodNames}
	if api != nil && c.Kubeconfig.File == "" {
		key.api = api.Key()
	}
	memberAPIs.Lock()
	defer memberAPIs.Unlock()
	m := memberAPIs.byKey[key]
	if m == nil {
		m = newMemberAPI(key, api)
		memberAPIs.byKey[key] = m
	}
	m.users++
	return m
}

func newMemberAPI(key apiKey, api *discovery.API) *memberAPI {
	m := &memberAPI{key: key, metrics: acquireMetrics(key.cluster), stop: func() {}}
	m.Member = member.Start(member.Options{
		Name: key.cluster, Log: log, Metrics: m.metrics.data(), Gate: memberAPIs.lists, EndpointPodNames: key.podNames,
	})
	if key.source == (model.Kubeconfig{}) {
		m.SetCredentials(member.Credentials{Config: api.Config()}, nil)
		return m
	}
	feed, err := discovery.KubeconfigFeed(api, key.source)
	if err != nil {
		m.SetCredentials(member.Credentials{}, err)
		return m
	}
	m.stop = subscribeBy(feed, func(k discovery.Kubeconfig) {
		m.SetCredentials(member.Credentials{Kubeconfig: k.Content, Dir: k.Folder, Context: key.source.Context}, k.Err)
	}, beside)
	return m
}

// taking has those beside run one after the other.
var taking sync.Mutex

// beside doesn't wait for take: a kubeconfig takes a while to read, and until then the
// whole ClusterSet would not be in force.
func beside(take func()) {
	go func() {
		taking.Lock()
		defer taking.Unlock()
		take()
	}()
}

// release ends this user's part; the last one's ends the watching.
func (m *memberAPI) release() {
	memberAPIs.Lock()
	m.users--
	last := m.users == 0
	if last {
		delete(memberAPIs.byKey, m.key)
	}
	memberAPIs.Unlock()
	if last {
		m.stop()
		m.Stop()
		m.metrics.release()
	}
}
