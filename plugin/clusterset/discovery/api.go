package discovery

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/quoted"
)

// API is the Kubernetes API that a CoreDNS has: in-cluster, or a kubeconfig's.
type API struct {
	client kubernetes.Interface
	config *rest.Config
	// key differs among APIs, and where one has new credentials.
	key string
}

// ErrNoAPI is returned outside a cluster when no kubeconfig is given.
var ErrNoAPI = errors.New("not in a Kubernetes cluster, and no kubeconfig is given")

// NewAPI returns a client: from the kubeconfig file at path and its context ("" is
// its current one), or in-cluster where path is "". It asks nothing yet.
func NewAPI(path, context string) (*API, error) {
	config, content, err := restConfig(path, context)
	if err != nil {
		return nil, err
	}
	config.UserAgent = "coredns-clusterset"
	config.DisableCompression = true // for one object, it would only hide its size
	// Each object's watch waits by itself between tries. client-go's bound, 5 a second for
	// all of them, would have a thousand Secrets read in 400 s, and the ConfigMap after them.
	config.QPS, config.RateLimiter = -1, nil
	toAPI, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	// The credentials are for the server that the configuration names, whatever that
	// server says.
	noRedirect := *toAPI // may be Go's own
	noRedirect.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client, err := kubernetes.NewForConfigAndClient(config, &noRedirect)
	if err != nil {
		return nil, err
	}
	return &API{client: client, config: config, key: fmt.Sprintf("%s %s %s %x", path, context, config.Host, sha256.Sum256(content))}, nil
}

// Key returns what APIs are compared by: those of the same key are one, with the same
// credentials.
func (a *API) Key() string { return a.key }

// Config returns a copy of what the API's client was made with.
func (a *API) Config() *rest.Config { return rest.CopyConfig(a.config) }

// object is one object of an API that is watched: the only one that RBAC must
// allow to get, list and watch.
type object struct {
	api      *API
	resource string // "configmaps", "secrets"
	example  runtime.Object
	name     model.ObjectName
	// pause is the least time between two changes that are reported.
	pause time.Duration
}

// secretPause is a Secret's: with each change, connections are made anew, and the old ones
// are closed when their queries are over (5 s). Whoever writes it all the time would have
// thousands of them open.
const secretPause = 200 * time.Millisecond

// watch calls changed with the object, or nil where there is none, at once and
// whenever it changes; and failed with each error of the watch, which goes on by
// itself: then changed is called again. It calls them one at a time, and returns when ctx
// has ended and no call is made any more.
func (o object) watch(ctx context.Context, changed func(runtime.Object), failed func(error)) {
	w := newWatcher(o, changed, failed)
	informer := cache.NewSharedInformer(plainListWatch{w.listWatch()}, o.example, 0)
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{ // fails only once stopped
		AddFunc:    func(obj any) { w.set(obj.(runtime.Object)) },
		UpdateFunc: func(_, obj any) { w.set(obj.(runtime.Object)) },
		DeleteFunc: func(any) { w.set(nil) },
	})
	var running sync.WaitGroup
	running.Go(func() { w.run(ctx) })
	running.Go(func() {
		if cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) && len(informer.GetStore().List()) == 0 {
			w.missing()
		}
	})
	// The watcher reports what goes wrong; client-go's own lines would repeat it.
	informer.RunWithContext(klog.NewContext(ctx, klog.Logger{}))
	running.Wait()
}

// explain returns an error that names the object and, where access is forbidden, what to
// allow. Words of the API go no further than on a line of the log.
func (o object) explain(err error) error {
	what, said := fmt.Sprintf("%s %s: ", o.resource, o.name), quoted.Ends(err.Error(), maxSaid)
	if apierrors.IsForbidden(err) {
		what += "forbidden; allow get, list and watch of it"
		return logError{what + ": " + said, what}
	}
	return logError{what + said, what + "can't be read"}
}
