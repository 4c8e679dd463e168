package member

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/apitest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/resources"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

func (s *subject) awaitStatus(what string, is func(status.Data) bool) status.Data {
	s.t.Helper()
	s.until(what, func() bool { return is(s.Status()) })
	return s.Status()
}

// TestStatus: what is known of a member is in its status, before its data are synced and
// when they are, and nobody who reads it waits for the Member.
func TestStatus(t *testing.T) {
	a := apitest.Start(t, true, map[string]http.HandlerFunc{apitest.NamespacesPath: func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no", http.StatusForbidden)
	}})
	s := startMember(t)
	if got := s.Status(); got.State != status.Unsynced || got.Since.IsZero() || got.Error != "data not yet synced" || got.Resources[resources.Services].Name != "services" {
		t.Errorf("at the start: %+v", got)
	}
	s.SetCredentials(from(a), nil)
	<-s.Synced()
	got := s.awaitStatus("watches", func(s status.Data) bool {
		return s.State == status.Fresh && s.Resources[resources.Services].Watched && s.Resources[resources.Exports].Watched && s.Resources[resources.Namespaces].Error != ""
	})
	if got.Services != 1 || got.EndpointSlices != 0 || got.Error != "" || time.Since(got.Since) > time.Minute {
		t.Errorf("%+v", got)
	}
	if n := got.Resources[resources.Namespaces]; n.Listed || n.Watched || n.Error != "its API forbids access (namespaces)" || got.LastError != n.Error || got.LastErrorTime.IsZero() {
		t.Errorf("%+v", got)
	}
	text, err := json.Marshal(got)
	if err != nil || !strings.Contains(string(text), `{"state":"fresh","since":"20`) || strings.Contains(string(text), "hunter2") || strings.Contains(string(text), "127.0.0.1") {
		t.Errorf("%v %s", err, text)
	}
	s.Member.mu.Lock()
	_ = s.Status()
	s.Member.mu.Unlock()
	s.Stop()
	if got := s.Status(); got.State != status.Unsynced || got.Services != 0 || got.Resources[resources.Services].Listed {
		t.Errorf("at the end: %+v", got)
	}
}

// jwt returns a token that expires at end.
func jwt(end time.Time) string {
	return "e30." + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"exp":%d}`, end.Unix())) + ".c2ln"
}

// TestStatusOfFailures: so is what is wrong.
func TestStatusOfFailures(t *testing.T) {
	expired := jwt(time.Now().Add(-time.Hour))
	for name, tc := range map[string]struct {
		replace map[string]http.HandlerFunc
		is      func(status.Data) bool
	}{
		"too large": {
			map[string]http.HandlerFunc{apitest.ServicesPath: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", apitest.Protobuf)
				_, _ = w.Write(listHead(t, "ServiceList", 1<<40))
				apitest.Forever(w, r, []byte("\x12\xff\xff\xff\x7f"))
			}},
			func(s status.Data) bool {
				return s.State == status.Unsynced && strings.HasPrefix(s.Refused, "services: too large: ") && s.LastError == s.Error
			},
		},
		"unauthorized": {
			map[string]http.HandlerFunc{apitest.ProbePath: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }},
			func(s status.Data) bool {
				return s.State == status.Unsynced && s.Error == "its API doesn't accept the credentials" && s.Refused == "" &&
					s.Credentials.Kind == "token" && time.Since(s.Credentials.Expires) > 59*time.Minute
			},
		},
		"no exports": {
			map[string]http.HandlerFunc{apitest.GroupPath: http.NotFound},
			func(s status.Data) bool {
				return s.State == status.Fresh && s.Resources[resources.Services].Watched && !s.Resources[resources.Exports].Listed && s.Resources[resources.Exports].Error == ""
			},
		},
	} {
		a := apitest.Start(t, true, tc.replace)
		s := startMember(t)
		c := from(a)
		c.Kubeconfig = []byte(strings.Replace(string(c.Kubeconfig), "hunter2", expired, 1))
		s.SetCredentials(c, nil)
		s.awaitStatus(name, tc.is)
		s.SetCredentials(Credentials{}, http.ErrNoLocation)
		s.awaitStatus(name, func(s status.Data) bool { return s.Credentials.Error == "no usable kubeconfig" })
		s.Stop()
	}
}
