//go:build e2e

package member

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

// TestSync: all that is there is known when Synced closes, and each change soon
// after.
func TestSync(t *testing.T) {
	a := startAPI(t)
	a.create("one")
	s := startMember(a)
	if v := s.View(); v.State != member.Unsynced || v.Err == nil || v.Data == nil {
		t.Fatalf("at first: %+v", v)
	}
	began := time.Now()
	s.use(a.up.Kubeconfig("c1"))
	<-s.Synced()
	t.Logf("synced after %v", time.Since(began))
	v := s.View()
	if v.State != member.Fresh || v.Err != nil || v.Data.Service(key("one")) == nil || !v.Data.HasNamespace("kube-public") {
		t.Fatalf("synced: %+v", v)
	}
	if n := len(v.Data.Service(key("one")).Slices); n != 1 {
		t.Errorf("%d slices, want 1", n)
	}
	if got := observed(t, s.metrics.Programming); got.GetSampleCount() != 0 {
		t.Errorf("programming: the first list is counted: %v", got)
	}
	a.create("two")
	t.Logf("a service is seen %v after it was made", s.awaitService(key("two"), true))
	harness.Eventually(t, settled, "programming", func() error {
		if n := observed(t, s.metrics.Programming).GetSampleCount(); n != 1 {
			return fmt.Errorf("%d samples", n)
		}
		return nil
	})
	if sum := observed(t, s.metrics.Programming).GetSampleSum(); sum <= 0 || sum > 2 {
		t.Errorf("programming: %v s", sum)
	}
	a.delete("one")
	s.awaitService(key("one"), false)
	a.must(a.admin.CoreV1().Namespaces().Delete(t.Context(), "kube-node-lease", metav1.DeleteOptions{}))
	if v.Data.Service(key("one")) == nil {
		t.Error("an old view has changed")
	}
}

func observed(t *testing.T, o prometheus.Observer) *dto.Histogram {
	t.Helper()
	var m dto.Metric
	if err := o.(prometheus.Histogram).Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetHistogram()
}

// TestOutage: refused connections and silence are noticed in time, the data stay,
// and what happened meanwhile is seen soon after the API's return.
func TestOutage(t *testing.T) {
	a := startAPI(t)
	a.create("kept")
	s := startMember(a)
	s.use(a.up.Kubeconfig("c1"))
	s.await(settled, member.Fresh)
	outages := []struct {
		name       string
		begin, end func(string)
	}{{"stopped", a.up.Stop, a.up.Start}, {"paused", a.up.Pause, a.up.Resume}}
	for round := range 3 {
		for _, o := range outages {
			began := time.Now()
			o.begin("c1")
			s.await(staleWithin, member.Stale)
			noticed := time.Since(began)
			v := s.View()
			if v.Data.Service(key("kept")) == nil || v.Err == nil {
				t.Fatalf("%s: %+v", o.name, v)
			}
			if age := began.Sub(v.Since); age < -time.Second || age > 5*time.Second {
				t.Errorf("%s: last proof %v before it began", o.name, age)
			}
			harness.Throughout(t, 3*time.Second, o.name, func() error {
				if v := s.View(); v.State != member.Stale || v.Data.Service(key("kept")) == nil {
					return fmt.Errorf("%+v", v)
				}
				return nil
			})
			o.end("c1")
			took := s.await(freshWithin, member.Fresh)
			t.Logf("round %d, %s: stale after %v (%v), fresh %v after it was back", round, o.name, noticed, v.Err, took)
		}
	}
	if n := s.hasTold("warning", "api"); n > 8*len(outages) {
		t.Errorf("%d warnings", n)
	}
	a.delete("kept")
	s.awaitService(key("kept"), false)
	if n := testutil.ToFloat64(s.metrics.Lists); n != 7 {
		t.Errorf("listed %v times, want 7", n)
	}
}

// TestWipe: a cluster built anew at the same address has nothing of the old one.
func TestWipe(t *testing.T) {
	a := startAPI(t)
	a.create("old")
	s := startMember(a)
	s.use(a.up.Kubeconfig("c1"))
	s.await(settled, member.Fresh)
	a.up.Wipe("c1")
	back := time.Now()
	s.awaitService(key("old"), false)
	t.Logf("the loss is seen after %v", time.Since(back))
	s.await(freshWithin, member.Fresh)
	s.awaitTrouble(failure.Replaced)
	s.await(freshWithin, member.Fresh)
	if n := testutil.ToFloat64(s.metrics.Troubles[failure.Replaced]); n != 1 {
		t.Errorf("told %v times that it is another cluster", n)
	}
	harness.AwaitNamespace(t, a.admin, namespace)
	a.create("new")
	s.awaitService(key("new"), true)
}

// TestStopWhileHanging: a frozen API delays nothing.
func TestStopWhileHanging(t *testing.T) {
	a := startAPI(t)
	s := startMember(a)
	s.use(a.up.Kubeconfig("c1"))
	s.await(settled, member.Fresh)
	a.up.Pause("c1")
	s.await(staleWithin, member.Stale) // and the test's end stops it
	late := startMember(a)
	late.use(a.up.Kubeconfig("c1"))
	late.awaitTrouble(failure.Timeout)
	if v := late.View(); v.State != member.Unsynced {
		t.Errorf("%+v", v)
	}
	late.Stop()
	if v := s.View(); v.State != member.Stale {
		t.Errorf("%+v", v)
	}
	s.Stop()
	if v := s.View(); v.State != member.Unsynced || v.Data.Service("kubernetes.default") != nil {
		t.Errorf("stopped: %+v", v)
	}
	a.up.Resume("c1")
}
