package member

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "k8s.io/api/core/v1"
	discovery "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

func (m *Member) newestAttempts() *attempts {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.newest
}

// TestHungDisk: files that take for ever to read keep nobody: the credentials are
// given, the View is had, and the Member stops.
func TestHungDisk(t *testing.T) {
	s := startMember(t)
	a := &attempts{m: s.Member, creds: Credentials{Kubeconfig: []byte("x"), Dir: "/"}, reading: make(chan made)} // which nobody ends
	s.Member.mu.Lock()
	s.try(a)
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

// TestPipe: a pipe where a file should be is told, and keeps nobody, wherever it is
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

// TestEndpointPodNames: an endpoint without a hostname has its pod's name where the
// member's own kubernetes plugin says it like that.
func TestEndpointPodNames(t *testing.T) {
	slice := &discovery.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Name: "db-x", Namespace: "shop", Labels: map[string]string{discovery.LabelServiceName: "db"}},
		Endpoints: []discovery.Endpoint{
			{Addresses: []string{"10.0.0.1"}, Hostname: ptr("db-0"), TargetRef: &v1.ObjectReference{Name: "pod-0"}},
			{Addresses: []string{"10.0.0.2"}, Hostname: ptr(""), TargetRef: &v1.ObjectReference{Name: "db-1"}},
			{Addresses: []string{"10.0.0.3"}, TargetRef: &v1.ObjectReference{}},
		},
	}
	for podNames, want := range map[bool]string{false: "db-0 - -", true: "db-0 db-1 -"} {
		shared := &texts{podNames: podNames}
		o, err := shared.slice(message(t, slice))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range o.item.slice.Endpoints {
			name := e.Hostname
			if name == "" {
				name = "-"
			}
			got = append(got, name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("with podNames %v: %v, want %s", podNames, got, want)
		}
	}
}
