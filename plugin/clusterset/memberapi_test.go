package clusterset

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/discovery"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// TestSharedAPI: who wants the same data of a member shares them; a changed
// endpointPodNames has them read anew.
func TestSharedAPI(t *testing.T) {
	c := &model.Cluster{Name: "shared", Kubeconfig: model.Kubeconfig{File: "/nowhere"}}
	podNames := *c
	podNames.EndpointPodNames = true
	one, same, other := acquireAPI(c, nil), acquireAPI(c, nil), acquireAPI(&podNames, nil)
	if one != same || one == other {
		t.Errorf("the same: %v; with endpointPodNames: %v", one == same, one == other)
	}
	for _, m := range []*memberAPI{one, same, other} {
		m.release()
	}
}

// TestKubeconfigBeside: a member begins without its kubeconfig being read, which takes its
// time where a Secret has a thousand members': until they all have begun, none of the
// ClusterSet's is asked.
func TestKubeconfigBeside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &model.Cluster{Name: "beside", Kubeconfig: model.Kubeconfig{File: path}}
	feed, err := discovery.KubeconfigFeed(nil, c.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Release()
	if !feed.WaitUntil(time.Now().Add(time.Minute)) {
		t.Fatal("not read")
	}
	taking.Lock() // somebody else's takes its time
	begun := make(chan *memberAPI, 1)
	go func() { begun <- acquireAPI(c, nil) }()
	select {
	case m := <-begun:
		taking.Unlock()
		m.release()
	case <-time.After(time.Minute):
		taking.Unlock()
		(<-begun).release()
		t.Error("the member waits for its kubeconfig")
	}
}
