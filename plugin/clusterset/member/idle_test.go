package member

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apiclient"
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
	asked := a.Count(apitest.ProbePath)
	if asked == 1 { // the first one can't know that it made the connection
		s.until("a second probe", func() bool { return a.Count(apitest.ProbePath) == 2 })
	}
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
	live := s.session()
	last := live.lastAlive()
	s.until("another proof", func() bool { return live.lastAlive() != last })
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

// TestIdle: an API that is watched over HTTP/2, and whose objects don't change, has no
// requests; over HTTP/1.1 it can't be pinged, and has them.
func TestIdle(t *testing.T) {
	a := apitest.Start(t, true, nil)
	s := idle(t, a)
	before := requests(a)
	for range 3 {
		s.awaitProof()
	}
	if n := requests(a) - before; n > 0 || s.View().State != Fresh {
		t.Errorf("%d requests, %v", n, s.View().State)
	}
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
	s.until("a second probe", func() bool { return a.Count(apitest.ProbePath) == 2 })
	before := requests(a)
	for range 3 {
		s.awaitProof()
	}
	if n := requests(a) - before; n > 0 || s.View().State != Fresh {
		t.Errorf("%d requests, %v", n, s.View().State)
	}
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
	a.Replace(apitest.ProbePath, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	s.session().requestProbe()
	s.await("api", failure.Unauthorized.String())
	before := a.Count(apitest.ProbePath)
	s.until("probes", func() bool { return a.Count(apitest.ProbePath) > before+1 })
	a.Replace(apitest.ProbePath, nil)
	s.await("api: recovered")
	if s.View().State != Fresh {
		t.Error("its data aren't fresh")
	}
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
	before := requests(a)
	ctx, thaw := context.WithCancel(t.Context())
	f.frozen.Store(&ctx)
	s.until("stale", func() bool { return s.View().State == Stale })
	s.await("api", failure.Timeout.String(), "a ping")
	if n := requests(a) - before; n > 0 {
		t.Errorf("%d requests", n)
	}
	f.frozen.Store(nil)
	thaw()
	s.until("fresh", func() bool { return s.View().State == Fresh })
}

// TestMustAsk: a ping isn't enough where it doesn't show what is to be known.
func TestMustAsk(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*session)
		want   bool
	}{
		"long watched":           {func(*session) {}, false},
		"new":                    {func(s *session) { s.began = time.Now() }, true},
		"credentials refused":    {func(s *session) { s.refused = true }, true},
		"another connection":     {func(s *session) { s.asked = -1 }, true},
		"only pings for so long": {func(s *session) { s.began = s.began.Add(-silentMost) }, true},
	} {
		s := &session{m: &Member{state: state{askTime: askTime}}, conns: apiclient.NewConns(t.Context(), apiclient.NewLimiter()), began: time.Now().Add(-time.Hour)}
		s.noteAlive()
		tc.change(s)
		if got := s.mustAsk(); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
		s.notePinged()
		if got := s.mustAsk(); got != tc.want {
			t.Errorf("%s, after a ping: %v", name, got)
		}
	}
}
