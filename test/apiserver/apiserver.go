// Package apiserver gives a test real Kubernetes API servers: it runs "kube up" of
// test/kube as a child process and ends it with the test.
//
// It needs only the standard library, so that nothing of Kubernetes gets into
// this module through it: a test brings its own client-go, or none.
//
//	clusters := apiserver.Start(t, "c1=10.101.0.0/16", "c2=10.102.0.0/16")
//	config, err := clientcmd.BuildConfigFromFlags("", clusters.Kubeconfig("c1"))
//	...
//	clusters.Stop("c1") // its API is gone until clusters.Start("c1")
package apiserver

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// endTimeout is how long kube up may take to end. It takes 0.1 s.
const endTimeout = 30 * time.Second

// Clusters are the control planes that one Start has started. Its methods may
// be called from several goroutines, but like t.Fatal, with which they report
// a failure, only from those that run the test or a subtest.
type Clusters struct {
	t       testing.TB
	command *exec.Cmd
	stderr  bytes.Buffer  // read only after command has ended
	ended   chan struct{} // closed when command has ended
	up      chan struct{} // closed when all clusters are ready

	mu      sync.Mutex // guards what follows, and keeps stdin in the order of waiting
	stdin   io.WriteCloser
	members map[string]*member
	failure string // the last "error" that answers no command: why kube up ended
	closing bool   // the test is over: its end is wanted
}

// member is what is known of one cluster. A member's commands are answered in
// the order of the calls.
type member struct {
	kubeconfig string
	server     string
	waiting    []chan event
}

// Start starts the clusters and returns when all their APIs are ready; t's
// cleanup ends them. Its arguments are those of kube up after --dir: "NAME" or
// "NAME=CIDR" for each cluster, and before them flags, such as
// "--fast-services". Where it can't, the test fails with the reason.
func Start(t testing.TB, clusters ...string) *Clusters {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatalf("apiserver: %v", err)
	}
	c := &Clusters{
		t:       t,
		ended:   make(chan struct{}),
		up:      make(chan struct{}),
		members: map[string]*member{},
	}
	c.command = exec.Command(path, append([]string{"up", "--dir", t.TempDir()}, clusters...)...)
	c.command.Stderr = &c.stderr
	stdin, err := c.command.StdinPipe()
	if err != nil {
		t.Fatalf("apiserver: %v", err)
	}
	c.stdin = stdin
	stdout, err := c.command.StdoutPipe()
	if err != nil {
		t.Fatalf("apiserver: %v", err)
	}
	if err := c.command.Start(); err != nil {
		t.Fatalf("apiserver: %v", err)
	}
	t.Cleanup(c.end)
	go c.read(stdout)
	select {
	case <-c.up:
	case <-c.ended:
		t.Fatalf("apiserver: kube up %v did not start: %s", clusters, c.reason())
	}
	return c
}

// binary is the path of test/kube's program.
func binary() (string, error) {
	path := os.Getenv("KUBE_BIN")
	if path == "" {
		_, file, _, _ := runtime.Caller(0) // test/apiserver/apiserver.go
		path = filepath.Join(filepath.Dir(file), "..", "..", "bin", "kube")
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%w: build it with `make bin/kube`, or set KUBE_BIN to where it is", err)
	}
	return path, nil
}

// end closes kube up's stdin, which ends it and all that it started.
func (c *Clusters) end() {
	c.mu.Lock()
	c.closing = true
	_ = c.stdin.Close() // an error means that it has ended already
	c.mu.Unlock()
	select {
	case <-c.ended:
	case <-time.After(endTimeout):
		c.t.Errorf("apiserver: kube up did not end within %v: killed", endTimeout)
		_ = c.command.Process.Kill() // its children die with it
		<-c.ended
	}
}
