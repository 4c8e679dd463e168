package member

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
)

// TestShortWatches: a watch that brings something and ends isn't asked for again as
// fast as it ends.
func TestShortWatches(t *testing.T) {
	for name, event := range map[string][]byte{"event": apitest.Event(t, "MODIFIED", apitest.Service("a")), "bookmark": apitest.Event(t, "BOOKMARK", apitest.Service("a"))} {
		var mu sync.Mutex
		var began []time.Time
		a := apitest.Start(t, true, map[string]http.HandlerFunc{apitest.ServicesPath + "?watch": apitest.Unstreamed(func(w http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			began = append(began, time.Now())
			mu.Unlock()
			apitest.BeginWatch(w)
			_, _ = w.Write(event)
		})})
		s := startMember(t)
		s.SetCredentials(from(a), nil)
		s.until(name, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(began) > 3
		})
		s.Stop()
		if took := began[3].Sub(began[0]); took < 2*watchPause { // the first may be slow to arrive
			t.Errorf("%s: four watches in %v", name, took)
		}
	}
}

// TestUnwatched: whole lists without a watch are data, as old as they are.
func TestUnwatched(t *testing.T) {
	a := apitest.Start(t, true, map[string]http.HandlerFunc{apitest.ServicesPath + "?watch": apitest.Unstreamed(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no", http.StatusForbidden)
	}), apitest.NamespacesPath: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "slow", http.StatusServiceUnavailable) }})
	s := startMember(t)
	s.SetCredentials(from(a), nil)
	<-s.Synced()
	s.until("stale", func() bool { return s.View().State == Stale })
	if age := time.Since(s.View().Since); age > time.Hour {
		t.Errorf("data just listed are %v old", age)
	}
}
