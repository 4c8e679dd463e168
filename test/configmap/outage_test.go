//go:build e2e

package configmap

import (
	"regexp"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

const (
	// outage is how long an API server is away. client-go then waits up to
	// about as long again before it tries once more.
	outage = 4 * time.Second
	// retried bounds the time from an API server's return to a change's being
	// seen: client-go tries again after 0.8 s, doubled each time with as much
	// again by chance, at most 30 s.
	retried = 30 * time.Second
)

// TestOutage: while the API server is away, answers go on; what changed is seen
// when it is back.
func TestOutage(t *testing.T) {
	a, c1, s := startServing(t)
	c2 := startMember(t, "127.0.111.12", "10.102.0.1")
	served := s.Probe(who("c1"), answer(c1.mark))
	outages := []struct {
		name        string
		begin, end  func(string)
		data        map[string]string // written afterwards
		replyOfC2   string
		memberCount float64
	}{
		{"stopped", a.up.Stop, a.up.Start, one(member(1, c1.Addr), member(2, c2.Addr)), answer(c2.mark), 2},
		{"paused", a.up.Pause, a.up.Resume, one(member(1, c1.Addr)), unknown, 1},
	}
	for _, o := range outages {
		o.begin("api")
		harness.Throughout(t, outage, o.name, s.IsReady)
		o.end("api")
		back := time.Now()
		a.write(o.data)
		s.Await(t, retried, who("c2"), o.replyOfC2)
		t.Logf("%s for %v: a change is seen %v after the API server is back", o.name, outage, time.Since(back))
		s.AwaitMetrics(t, seen, map[string]float64{configGood: 1, clusters: o.memberCount})
	}
	served.End(t)
	if n := s.Logged("ClusterSet unusable"); n > 2 {
		t.Errorf("logged %d times that the API server is away", n)
	}
	if line := klogLine.FindString(s.Log()); line != "" {
		t.Errorf("in client-go's own form, beside what is told of it: %s", line)
	}
}

// klogLine is a line of the library that client-go logs with.
var klogLine = regexp.MustCompile(`(?m)^[IWEF]\d{4} .*$`)

// TestOutageWithoutChange: an API server that comes back with what it had leaves
// nothing behind, not even in the metrics.
func TestOutageWithoutChange(t *testing.T) {
	a, c1, s := startServing(t)
	a.up.Stop("api")
	harness.Throughout(t, outage, "stopped", s.IsReady)
	a.up.Start("api")
	s.AwaitMetrics(t, retried, map[string]float64{configGood: 1, clusters: 1, upstreams("c1", "up"): 1})
	a.delete()
	s.AwaitMetrics(t, retried, map[string]float64{configGood: 0})
	a.write(one(member(1, c1.Addr)))
	s.AwaitMetrics(t, seen, map[string]float64{configGood: 1})
	s.Want(t, who("c1"), answer(c1.mark))
}

// TestWipe: a cluster that is built anew is used without a restart. The
// administrator's token outlives that, a ServiceAccount's doesn't.
func TestWipe(t *testing.T) {
	a := startAPI(t)
	c1 := startMember(t, "127.0.111.11", "10.101.0.1")
	c2 := startMember(t, "127.0.111.12", "10.102.0.1")
	a.write(one(member(1, c1.Addr)))
	s := startServer(t, a.up.Kubeconfig("api"))
	s.Await(t, seen, who("c1"), answer(c1.mark))
	served := s.Probe(who("c1"), answer(c1.mark))

	a.up.Wipe("api")
	back := time.Now()
	harness.AwaitNamespace(t, a.admin, namespace)
	s.AwaitMetrics(t, retried, map[string]float64{configGood: 0, clusters: 1})
	t.Logf("wiped: the loss is seen after %v", time.Since(back))
	written := a.write(one(member(1, c1.Addr), member(2, c2.Addr)))
	s.Await(t, retried, who("c2"), answer(c2.mark))
	t.Logf("wiped: the new ConfigMap is seen after %v", time.Since(written))
	s.AwaitMetrics(t, seen, map[string]float64{configGood: 1, clusters: 2})
	served.End(t)
}

// TestStartWithoutAPI: an API server that is away, refusing or silent, delays
// the start of CoreDNS and nothing more: other zones are served.
func TestStartWithoutAPI(t *testing.T) {
	a := startAPI(t)
	c1 := startMember(t, "127.0.111.11", "10.101.0.1")
	a.write(one(member(1, c1.Addr)))
	kubeconfig := a.kubeconfig(theConfigMap())
	outages := []struct {
		name       string
		begin, end func(string)
	}{{"stopped", a.up.Stop, a.up.Start}, {"paused", a.up.Pause, a.up.Resume}}
	for _, o := range outages {
		t.Run(o.name, func(t *testing.T) {
			o.begin("api")
			start := time.Now()
			s := startServer(t, kubeconfig)
			t.Logf("%s: CoreDNS started after %v", o.name, time.Since(start))
			s.waits(t)
			if s.Logged("plugin/clusterset", "configmap") == 0 {
				t.Error("the log doesn't say what is waited for")
			}
			o.end("api")
			back := time.Now()
			s.Await(t, retried, who("c1"), answer(c1.mark))
			t.Logf("%s: the ClusterSet is there %v after the API server is back", o.name, time.Since(back))
			harness.Eventually(t, seen, "ready", s.IsReady)
			s.AwaitMetrics(t, seen, map[string]float64{configGood: 1, clusters: 1})
		})
	}
}

// stopLimit bounds the end of a CoreDNS that nobody asks anything. Kubernetes
// kills what takes longer than 30 s.
const stopLimit = 5 * time.Second

// TestStopWithoutAPI: nothing that waits for the API server delays the end.
func TestStopWithoutAPI(t *testing.T) {
	a := startAPI(t)
	kubeconfig := a.kubeconfig(theConfigMap())
	a.up.Stop("api")
	// Several, as each waits for a random time between its tries.
	servers := []*server{newServer(t, kubeconfig), newServer(t, kubeconfig), newServer(t, kubeconfig)}
	for _, s := range servers {
		harness.Eventually(t, harness.StartLimit, "start", s.otherZone)
	}
	for _, s := range servers {
		start := time.Now()
		s.Stop()
		if took := time.Since(start); took > stopLimit {
			t.Errorf("ended after %v, want %v", took, stopLimit)
		}
	}
}
