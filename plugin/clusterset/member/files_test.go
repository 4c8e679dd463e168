package member

import (
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/credentials"
)

func writeFile(t *testing.T, content string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file")
	rewriteFile(t, path, content)
	return path
}

func rewriteFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (m *Member) newestConnector() *connector {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.newest
}

// TestHungDisk: files that take for ever to read block nobody: credentials are set, the
// View is read, and the Member stops.
func TestHungDisk(t *testing.T) {
	s := startMember(t)
	c := &connector{m: s.Member, files: credentials.Reader{
		Credentials: Credentials{Kubeconfig: []byte("x"), Dir: "/"}, Reading: make(chan credentials.Result), // which nobody ends
	}}
	s.Member.mu.Lock()
	s.connect(c)
	s.Member.mu.Unlock()
	s.SetCredentials(Credentials{}, nil)
	if v := s.View(); v.State != Unsynced || v.Data.Service("x") != nil {
		t.Errorf("%+v", v)
	}
	stopped := make(chan struct{})
	go func() {
		s.Stop()
		close(stopped)
	}()
	select {
	case <-stopped:
	case <-time.After(30 * time.Second):
		t.Error("it doesn't stop")
	}
}

// TestPipe: a pipe in place of a file is an error, and blocks nobody, wherever it is
// named.
func TestPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"tokenFile: " + pipe, "client-certificate: " + pipe + ", client-key: " + pipe} {
		s := startMember(t)
		s.SetCredentials(Credentials{Dir: "/", Kubeconfig: []byte("current-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\n" +
			"clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\nusers: [{name: u, user: {" + user + "}}]\n")}, nil)
		s.await("bad_kubeconfig", "is a named pipe: must be a regular file")
		s.Stop()
	}
}

// TestTokenFile: the token's file is read again when it changes, not by requests.
func TestTokenFile(t *testing.T) {
	var token atomic.Pointer[string]
	a := apitest.Start(t, true, map[string]http.HandlerFunc{apitest.ProbePath: func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+*token.Load() {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		apitest.Respond(t, w, apitest.Namespace("kube-system"))
	}})
	path := writeFile(t, "first\n")
	first := "first"
	token.Store(&first)
	s := startMember(t)
	s.SetCredentials(Credentials{Config: &rest.Config{Host: a.URL, BearerTokenFile: path, TLSClientConfig: rest.TLSClientConfig{CAData: a.Authority()}}}, nil)
	<-s.Synced()
	c := s.newestConnector()
	second := "second"
	token.Store(&second)
	rewriteFile(t, path, "second")
	config, err := c.files.RESTConfig()
	if !c.reread(credentials.Result{Config: config, Err: err}) {
		t.Error("nothing tries the new token")
	}
	if c.reread(credentials.Result{Config: config, Err: err}) {
		t.Error("the same token is tried again")
	}
	if got := *c.token.Load(); got != "second" {
		t.Errorf("the token is %q", got)
	}
	s.await("synced")
}

// TestParsedOnce: however often an API is tried, an inline kubeconfig isn't parsed
// anew: one of 300 clusters takes 0.1 s, and an API that is away is tried every 0.6 s.
func TestParsedOnce(t *testing.T) {
	s := startMember(t)
	s.SetCredentials(Credentials{Kubeconfig: []byte(`apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1", insecure-skip-tls-verify: true}}]
users: [{name: u, user: {token: x}}]
`)}, nil)
	c := s.newestConnector()
	first, err := c.files.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if second, err := c.files.Load(t.Context()); err != nil || second != first {
		t.Errorf("another Config, error %v", err)
	}
}
