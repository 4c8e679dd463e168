package member

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
)

// idle returns a Member of the API which has watched for so long that it only asks for what
// pings don't show.
func idle(t *testing.T, a *apitest.API) *subject {
	t.Helper()
	s := startMember(t)
	s.askTime, s.lookAgain = 0, time.Hour
	s.SetCredentials(from(a), nil)
	<-s.Synced()
	for _, path := range []string{apitest.ServicesPath, apitest.SlicesPath, apitest.NamespacesPath, apitest.ExportsPath} {
		s.until(path, func() bool { return a.Count(path+"?watch") > 1 }) // one was for a streamed list
	}
	// The first probe can't know that the connection is its own.
	s.until("a second probe", func() bool { return a.Count(apitest.ProbePath) > 1 })
	return s
}

func (s *subject) session() *session {
	s.Member.mu.Lock()
	defer s.Member.mu.Unlock()
	return s.live
}

// awaitProof waits until the API was proven alive once more.
func (s *subject) awaitProof() {
	s.t.Helper()
	proven := func() (last time.Time) {
		if live := s.session(); live != nil {
			last = live.proofs.Last()
		}
		return last
	}
	before := proven()
	s.until("another proof", func() bool { return proven().After(before) })
}

// requests are those that the API had, watches among them.
func requests(a *apitest.API) (n int) {
	for _, path := range []string{
		apitest.ProbePath, apitest.ServicesPath, apitest.SlicesPath, apitest.NamespacesPath, apitest.ExportsPath, apitest.GroupPath, apitest.VersionPath,
	} {
		n += a.Count(path) + a.Count(path+"?watch")
	}
	return n
}

// provenWithoutRequests looks whether the API is proven alive again and again, and has no
// requests meanwhile: once at least, as a busy machine may answer a ping too late.
func (s *subject) provenWithoutRequests(a *apitest.API) {
	s.t.Helper()
	clustertest.Tries(s.t, func() error {
		before := requests(a)
		for range 3 {
			s.awaitProof()
		}
		if n := requests(a) - before; n > 0 || s.View().State != Fresh {
			return fmt.Errorf("%d requests, %v", n, s.View().State)
		}
		return nil
	})
}

// TestIdle: an API that is watched over HTTP/2, and whose objects don't change, has no
// requests; over HTTP/1.1 it can't be pinged, and has them.
func TestIdle(t *testing.T) {
	a := apitest.Start(t, true, nil)
	s := idle(t, a)
	s.provenWithoutRequests(a)
	s.Stop()
	a = apitest.Start(t, false, nil)
	s = idle(t, a)
	s.until("probes", func() bool { return a.Count(apitest.ProbePath) > 4 })
}

// TestIdleImports: nor has one more than a few that has nothing to watch, because it doesn't
// serve ServiceImports.
func TestIdleImports(t *testing.T) {
	a := apitest.Start(t, true, map[string]http.HandlerFunc{apitest.GroupPath: http.NotFound})
	s := start(t, Options{Imports: true})
	s.askTime, s.lookAgain = 0, time.Hour
	s.SetCredentials(from(a), nil)
	<-s.Synced()
	s.until("a second probe", func() bool { return a.Count(apitest.ProbePath) > 1 })
	s.provenWithoutRequests(a)
}

// TestUnwatchedIsAsked: an API of which something can't be watched is asked, whatever else it
// answers.
func TestUnwatchedIsAsked(t *testing.T) {
	forbidden := func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) }
	a := apitest.Start(t, true, map[string]http.HandlerFunc{apitest.SlicesPath: forbidden, apitest.SlicesPath + "?watch": forbidden})
	s := startMember(t)
	s.askTime, s.lookAgain = 0, time.Hour
	s.SetCredentials(from(a), nil)
	s.until("probes", func() bool { return a.Count(apitest.ProbePath) > 4 })
}

// TestRefusedIsAsked: so is one that doesn't accept the credentials, until it does.
func TestRefusedIsAsked(t *testing.T) {
	a := apitest.Start(t, true, make(map[string]http.HandlerFunc))
	s := idle(t, a)
	asked := a.Count(apitest.ProbePath)
	a.Replace(apitest.ProbePath, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	s.until("refused", func() bool {
		if live := s.session(); live != nil {
			live.requestProbe()
		}
		return a.Count(apitest.ProbePath) > asked
	})
	s.await("api", failure.Unauthorized.String())
	before := a.Count(apitest.ProbePath)
	s.until("probes", func() bool { return a.Count(apitest.ProbePath) > before+1 })
	a.Replace(apitest.ProbePath, nil)
	s.await("api: recovered")
}

// freezing is a Listener whose connections read nothing while it is frozen.
type freezing struct {
	net.Listener
	frozen atomic.Pointer[context.Context] // until its end
}

func (f *freezing) Accept() (net.Conn, error) {
	conn, err := f.Listener.Accept()
	return &freezingConn{conn, f}, err
}

type freezingConn struct {
	net.Conn
	of *freezing
}

func (c *freezingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if ctx := c.of.frozen.Load(); ctx != nil {
		<-(*ctx).Done()
	}
	return n, err
}

// TestIdleFrozen: an API that doesn't answer pings is found dead by them, and used again
// when it does.
func TestIdleFrozen(t *testing.T) {
	a := apitest.New(t, nil)
	f := &freezing{Listener: a.Listener}
	a.Listener, a.EnableHTTP2 = f, true
	a.StartTLS()
	s := idle(t, a)
	s.awaitProof()
	ctx, thaw := context.WithCancel(t.Context())
	f.frozen.Store(&ctx)
	s.until("stale", func() bool { return s.View().State == Stale })
	s.await("api", failure.Timeout.String(), "a ping")
	f.frozen.Store(nil)
	thaw()
	s.until("fresh", func() bool { return s.View().State == Fresh })
}
