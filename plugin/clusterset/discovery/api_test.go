package discovery

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// kubeconfigOf writes a kubeconfig of that server and user, and returns its path.
func kubeconfigOf(t *testing.T, server, cluster, user string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	write(t, path, `apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "`+server+`"`+cluster+`}}]
users: [{name: u, user: {`+user+`}}]
`)
	return path
}

// TestNewAPIFiles: whatever is in the place of a file that is read for the API, it is
// an error that names it, at once.
func TestNewAPIFiles(t *testing.T) {
	dir := t.TempDir()
	pipe, good := filepath.Join(dir, "pipe"), filepath.Join(dir, "good")
	do(t, syscall.Mkfifo(pipe, 0o600))
	write(t, good, "text")
	endless := "/dev/zero"
	for _, bad := range []string{pipe, endless, dir, filepath.Join(dir, "missing")} {
		for field, path := range map[string]string{
			"kubeconfig":            bad,
			"tokenFile":             kubeconfigOf(t, "https://127.0.0.1:1", "", "tokenFile: "+bad),
			"certificate-authority": kubeconfigOf(t, "https://127.0.0.1:1", ", certificate-authority: "+bad, "token: x"),
			"client-certificate":    kubeconfigOf(t, "https://127.0.0.1:1", "", "client-certificate: "+bad+", client-key: "+good),
			"client-key":            kubeconfigOf(t, "https://127.0.0.1:1", "", "client-certificate: "+good+", client-key: "+bad),
		} {
			if err := newAPIInTime(t, path); err == nil || !strings.Contains(err.Error(), bad) {
				t.Errorf("%s %s: error %v", field, bad, err)
			}
		}
	}
	if err := newAPIInTime(t, kubeconfigOf(t, "https://127.0.0.1:1", "", "tokenFile: "+good)); err != nil {
		t.Error(err)
	}
}

// newAPIInTime gives up on one that hangs.
func newAPIInTime(t *testing.T, path string) error {
	t.Helper()
	made := make(chan error, 1)
	go func() {
		_, err := NewAPI(path, "")
		made <- err
	}()
	select {
	case err := <-made:
		return err
	case <-time.After(30 * time.Second):
		t.Fatalf("%s: hangs", path)
		return nil
	}
}

// TestNewAPIHung: a disk that hangs is such an error too, if later.
func TestNewAPIHung(t *testing.T) {
	dir, _ := clustertest.HungFolder(t)
	file := filepath.Join(dir, "file")
	for _, path := range []string{file, kubeconfigOf(t, "https://127.0.0.1:1", "", "tokenFile: "+file)} {
		if err := newAPIInTime(t, path); err == nil || !strings.Contains(err.Error(), file+": not read in time") {
			t.Errorf("error %v", err)
		}
	}
}

// TestAPISays: an API's redirect isn't followed, and its words are one line of a log,
// and not a long one.
func TestAPISays(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	status := func(code int, message string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			fmt.Fprintf(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Forbidden", "code": %d, "message": "%s"}`, code, message)
		}
	}
	for _, tt := range []struct {
		name  string
		reply http.HandlerFunc
		want  string
	}{
		{"a redirect", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) }, "302"},
		{"a permanent one", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusPermanentRedirect)
		}, "308"},
		{"a line of its own", status(403, `no\n[FATAL] \u001b[31mall is lost`), `forbidden; allow get, list and watch of it: no\n[FATAL] \x1b[31mall is lost`},
		{"a long text", status(403, strings.Repeat("x", 1<<16)), "xxx…xxx"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(tt.reply)
			defer server.Close()
			api, err := NewAPI(kubeconfigOf(t, server.URL, "", "token: secret"), "")
			if err != nil {
				t.Fatal(err)
			}
			feed := FromConfigMap(api, model.ObjectName{Namespace: "kube-system", Name: "clusterset"}, func(Update) {})
			defer feed.Release()
			if !feed.WaitUntil(time.Now().Add(30 * time.Second)) {
				t.Fatal("no word")
			}
			said, _ := feed.Last()
			if said.Err == nil || !strings.Contains(said.Err.Error(), tt.want) || strings.ContainsAny(said.Err.Error(), "\n\x1b") || len(said.Err.Error()) > 400 {
				t.Errorf("error %q", said.Err)
			}
			if text := brief(said.Err); !strings.HasPrefix(text, "configmaps kube-system/clusterset: ") || strings.Contains(text, "lost") || strings.Contains(text, "xx") {
				t.Errorf("a client sees %q", text)
			}
		})
	}
	if n := elsewhere.Load(); n > 0 {
		t.Errorf("%d requests of a redirect", n)
	}
}
