package members

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/discovery"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// TestSharedData: who wants the same data of a member shares them; a changed
// endpointPodNames has them read anew.
func TestSharedData(t *testing.T) {
	c := &model.Cluster{Name: "shared", Kubeconfig: model.Kubeconfig{File: "/nowhere"}}
	podNames := *c
	podNames.EndpointPodNames = true
	m := NewManager(testOptions(nil))
	one, same, other := m.options.acquireData(c), m.options.acquireData(c), m.options.acquireData(&podNames)
	if one != same || one == other {
		t.Errorf("the same: %v; with endpointPodNames: %v", one == same, one == other)
	}
	for _, d := range []*sharedData{one, same, other} {
		d.Release()
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
	m := NewManager(testOptions(nil))
	parsing <- struct{}{} // somebody else's takes its time
	begun := make(chan *sharedData, 1)
	go func() { begun <- m.options.acquireData(c) }()
	select {
	case d := <-begun:
		<-parsing
		d.Release()
	case <-time.After(time.Minute):
		<-parsing
		(<-begun).Release()
		t.Error("the member waits for its kubeconfig")
	}
}

// TestReleasedBeforeParsed: a member that leaves before its kubeconfig is parsed, which is
// read meanwhile, doesn't wait for that.
func TestReleasedBeforeParsed(t *testing.T) {
	c := &model.Cluster{Name: "released", Kubeconfig: model.Kubeconfig{File: filepath.Join(t.TempDir(), "kubeconfig")}}
	m := NewManager(testOptions(nil))
	parsing <- struct{}{} // somebody else's takes its time
	defer func() { <-parsing }()
	for i := range 100 {
		d, released := m.options.acquireData(c), make(chan struct{})
		if err := os.WriteFile(c.Kubeconfig.File, fmt.Append(nil, i), 0o600); err != nil {
			t.Fatal(err)
		}
		go func() {
			d.Release()
			close(released)
		}()
		select {
		case <-released:
		case <-time.After(time.Minute):
			t.Fatal("Release waits")
		}
	}
}
