package member

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// unstreamed refuses a streamed list, and has other watches answered by then.
func unstreamed(then http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("sendInitialEvents") != "" {
			http.Error(w, "no streamed lists", http.StatusUnprocessableEntity)
			return
		}
		then(w, r)
	}
}

// TestShortWatches: a watch that brings something and ends isn't asked for again as
// fast as it ends.
func TestShortWatches(t *testing.T) {
	for name, event := range map[string][]byte{"event": frame(t, "MODIFIED", service("a")), "bookmark": frame(t, "BOOKMARK", service("a"))} {
		var mu sync.Mutex
		var began []time.Time
		a := startAPI(t, true, map[string]http.HandlerFunc{servicesPath + "?watch": unstreamed(func(w http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			began = append(began, time.Now())
			mu.Unlock()
			beginWatch(w)
			_, _ = w.Write(event)
		})})
		s := startMember(t)
		s.SetCredentials(a.credentials(), nil)
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
	a := startAPI(t, true, map[string]http.HandlerFunc{servicesPath + "?watch": unstreamed(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no", http.StatusForbidden)
	}), listPath: func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "slow", http.StatusServiceUnavailable) }})
	s := startMember(t)
	s.SetCredentials(a.credentials(), nil)
	<-s.Synced()
	s.until("stale", func() bool { return s.View().State == Stale })
	if age := time.Since(s.View().Since); age > time.Hour {
		t.Errorf("data just listed are %v old", age)
	}
}

// TestLines: who changes from well to unwell all day doesn't fill the log.
func TestLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := &lines{}
		log := &plainLog{inner: told, since: time.Now()}
		for range 1000 {
			log.Infof("%s", "x")
		}
		if len(*told) != maxLines {
			t.Fatalf("%d lines", len(*told))
		}
		time.Sleep(linePause)
		log.Warningf("%s", "y")
		log.Errorf("%s", "z")
		if n := len(*told); n != maxLines+1 || !strings.HasPrefix((*told)[n-1], "y (") || !strings.Contains((*told)[n-1], "900") {
			t.Errorf("%d lines, %q", n, (*told)[n-1])
		}
		time.Sleep(2 * maxLines * linePause)
		for range 2 * maxLines {
			log.Infof("%s", "x")
		}
		if n := len(*told); n != 2*maxLines+1 || (*told)[n-1] != "x" {
			t.Errorf("%d lines, %q", n, (*told)[n-1])
		}
	})
}
