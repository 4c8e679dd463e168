//go:build e2e

package member

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

// TestPartition: a silent one is noticed, and what was deleted meanwhile is gone
// when it ends.
func TestPartition(t *testing.T) {
	a := startAPI(t)
	a.create("kept")
	relay, kubeconfig := harness.StartRelay(t, a.up, "c1")
	s := startMember(a)
	s.SetCredentials(member.Credentials{Kubeconfig: []byte(kubeconfig)}, nil)
	s.await(settled, member.Fresh)
	for i := range 3 {
		name := fmt.Sprintf("doomed%d", i)
		a.create(name)
		s.awaitService(key(name), true)
		relay.Lose(true)
		noticed := s.await(staleWithin, member.Stale)
		a.delete(name)
		harness.Throughout(t, time.Second, "stale", func() error {
			if v := s.View(); v.State != member.Stale || v.Data.Service(key(name)) == nil {
				return fmt.Errorf("%+v", v)
			}
			return nil
		})
		kept := s.View().Data.Service(key("kept"))
		relay.Lose(false)
		t.Logf("noticed after %v (%v), fresh %v after its end", noticed, s.View().Err, s.await(freshWithin, member.Fresh))
		d := s.View().Data
		if o := d.Service(key(name)); o != nil && o.Type != 0 {
			t.Error("what was deleted while cut off is still there")
		}
		if d.Service(key("kept")) != kept {
			t.Error("what didn't change has been made anew")
		}
	}
}

// TestDroppedConnections: a load balancer that drops connections again and again.
// client-go then waits ever longer before it watches again; data that nobody
// watches aren't called fresh.
func TestDroppedConnections(t *testing.T) {
	a := startAPI(t)
	relay, kubeconfig := harness.StartRelay(t, a.up, "c1")
	s := startMember(a)
	s.SetCredentials(member.Credentials{Kubeconfig: []byte(kubeconfig)}, nil)
	s.await(settled, member.Fresh)
	for range 5 {
		name := fmt.Sprintf("at%d", time.Now().UnixNano())
		relay.Disconnect()
		a.create(name)
		began, fresh := time.Now(), time.Duration(0)
		took := harness.Eventually(t, settled, name, func() error {
			service := s.View().Data.Service(key(name))
			if s.isFresh() == nil && service == nil {
				fresh = time.Since(began)
			}
			if service == nil {
				return fmt.Errorf("missing")
			}
			return nil
		})
		if fresh > time.Second {
			t.Errorf("called fresh for %v while nobody watched", fresh)
		}
		t.Logf("seen after %v, of which %v called fresh", took, fresh)
	}
	s.await(freshWithin, member.Fresh)
	t.Logf("%v lists", testutil.ToFloat64(s.metrics.Lists))
}

// TestSilentWatch: a watch without a bookmark for longer than the API sends them.
func TestSilentWatch(t *testing.T) {
	a := startAPI(t)
	s := startMemberWith(a, func(o *member.Options) { o.Silence = 500 * time.Millisecond })
	s.use(a.up.Kubeconfig("c1"))
	s.await(settled, member.Fresh)
	s.awaitTrouble(failure.WatchSilent)
	s.await(freshWithin, member.Fresh)
}

// TestBookmarks: API servers send them as often as DefaultSilence needs.
func TestBookmarks(t *testing.T) {
	if os.Getenv("MEMBER_BOOKMARKS") == "" {
		t.Skip("takes 3.5 minutes; MEMBER_BOOKMARKS=1 runs it")
	}
	a := startAPI(t)
	s := startMember(a)
	s.use(a.up.Kubeconfig("c1"))
	s.await(settled, member.Fresh)
	harness.Throughout(t, member.DefaultSilence+30*time.Second, "fresh", s.isFresh)
}
