//go:build e2e

package configmap

import (
	"errors"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// seen bounds the time from a change to its being seen in answers. The goal is
// 200 ms; the machine that runs this does other things too.
const seen = time.Second

// waits checks a server that has no ClusterSet: it is not ready and says so, and
// serves what it can.
func (s *server) waits(t *testing.T) {
	t.Helper()
	if _, no := errors.AsType[harness.NotReadyError](s.IsReady()); !no {
		t.Errorf("ready: %v, want a no", s.IsReady())
	}
	s.Want(t, who("c1"), notReady)
	s.Want(t, "lan.", notReady)
	if err := s.otherZone(); err != nil {
		t.Error(err)
	}
}

func TestNoConfigMapYet(t *testing.T) {
	a := startAPI(t)
	c1 := startMember(t, "127.0.111.11", "10.101.0.1")
	s := startServer(t, a.kubeconfig(theConfigMap()))
	s.waits(t)
	s.AwaitMetrics(t, seen, map[string]float64{configGood: 0, configErrors: 1})
	if n := s.Logged("[ERROR]", "configmap kube-system/clusterset: not found"); n != 1 {
		t.Errorf("logged %d times that there is no ConfigMap, want once", n)
	}

	written := a.write(one(member(1, c1.addr)))
	s.Await(t, seen, who("c1"), answer(c1.mark))
	answered := time.Since(written)
	harness.Eventually(t, seen, "ready", s.IsReady)
	t.Logf("ConfigMap created: answers after %v, ready after %v", answered, time.Since(written))
	s.Want(t, reverseName(t, c1.mark), answer("who.default.svc.c1.lan."))
	s.AwaitMetrics(t, seen, map[string]float64{configGood: 1, configErrors: 1, clusters: 1, upstreams("c1", "up"): 1})
}

// TestForbidden: a server whose role is forgotten says what to allow, and takes
// up the ClusterSet when it is.
func TestForbidden(t *testing.T) {
	a := startAPI(t)
	c1 := startMember(t, "127.0.111.11", "10.101.0.1")
	a.write(one(member(1, c1.addr)))
	s := startServer(t, a.kubeconfig())
	s.waits(t)
	s.AwaitMetrics(t, seen, map[string]float64{configGood: 0})
	if n := s.Logged("[ERROR]", "configmaps kube-system/clusterset: forbidden; allow get, list and watch"); n != 1 {
		t.Errorf("logged %d times what to allow, want once", n)
	}
	a.grant(theConfigMap())
	// client-go's reflector tries again after up to 2, 4, 8... seconds.
	t.Logf("allowed: answers after %v", s.Await(t, retried, who("c1"), answer(c1.mark)))
	s.AwaitMetrics(t, seen, map[string]float64{configGood: 1, clusters: 1})
}
