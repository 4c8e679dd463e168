//go:build e2e

package member

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

// counter is a proxy before an API server, which speaks HTTP/2 with who asks it.
type counter struct {
	*httptest.Server
	// last is when the last request came that isn't a watch's, requests how many did.
	last     atomic.Pointer[time.Time]
	requests atomic.Int64
}

func startCounter(a *api) *counter {
	config := harness.ClientConfig(a.t, a.up.Kubeconfig("c1"))
	secured, err := rest.TLSConfigFor(config)
	a.must(err)
	base := &http.Transport{TLSClientConfig: secured} // by HTTP/1.1: what is canceled ends its connection
	through, err := rest.HTTPWrappersForConfig(config, base)
	a.must(err)
	to, err := url.Parse(a.up.Server("c1"))
	a.must(err)
	proxy := &httputil.ReverseProxy{Transport: through, FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	c := &counter{}
	c.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("watch") == "" {
			now := time.Now()
			c.last.Store(&now)
			c.requests.Add(1)
		}
		proxy.ServeHTTP(w, r)
	}))
	c.EnableHTTP2 = true
	c.StartTLS()
	a.t.Cleanup(func() {
		c.Close()
		base.CloseIdleConnections()
	})
	return c
}

// TestIdle: an API server that is watched carries no request in a minute in which nothing
// changes, and its death is noticed in time all the same, by those who ping it.
func TestIdle(t *testing.T) {
	a := startAPI(t)
	a.create("kept")
	counted := startCounter(a)
	s := startMember(a)
	s.SetCredentials(member.Credentials{Config: &rest.Config{Host: counted.URL, TLSClientConfig: rest.TLSClientConfig{Insecure: true}}}, nil)
	outages := map[string]*outage{
		"silent":   {begin: func(r *harness.Relay) { r.Lose(true) }, end: func(r *harness.Relay) { r.Lose(false) }},
		"refusing": {begin: (*harness.Relay).Stop, end: func(r *harness.Relay) { r.Reopen(t) }},
		"frozen":   {begin: func(*harness.Relay) { a.up.Pause("c1") }, end: func(*harness.Relay) { a.up.Resume("c1") }},
	}
	for _, o := range outages {
		var kubeconfig string
		o.relay, kubeconfig = harness.StartRelay(t, a.up, "c1")
		o.subject = startMember(a)
		o.SetCredentials(member.Credentials{Kubeconfig: []byte(kubeconfig)}, nil)
		o.await(settled, member.Fresh)
	}
	s.await(settled, member.Fresh)
	began := time.Now()
	harness.Eventually(t, 5*time.Minute, "a minute without a request", func() error {
		if quiet := time.Since(*counted.last.Load()); quiet < time.Minute {
			return fmt.Errorf("for %v", quiet)
		}
		return s.isFresh()
	})
	t.Logf("%d requests in %v, none in the last minute", counted.requests.Load(), time.Since(began).Round(time.Second))
	for _, name := range strings.Fields("silent refusing frozen") { // frozen is for all
		o := outages[name]
		o.await(freshWithin, member.Fresh)
		o.begin(o.relay)
		t.Logf("%s: noticed after %v (%v)", name, o.await(staleWithin, member.Stale), o.View().Err)
		o.end(o.relay)
		o.await(freshWithin, member.Fresh)
	}
}

// outage is one that a Member is to notice.
type outage struct {
	*subject
	relay      *harness.Relay
	begin, end func(*harness.Relay)
}
