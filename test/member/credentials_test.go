//go:build e2e

package member

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/member/failure"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

func TestCredentials(t *testing.T) {
	a := startAPI(t)
	a.create("one")
	t.Run("none, broken, then good", func(t *testing.T) { none(t, a) })
	t.Run("wrong CA", func(t *testing.T) { wrongCA(t, a) })
	t.Run("rotated", func(t *testing.T) { rotated(t, a) })
	t.Run("expired", func(t *testing.T) { expired(t, a) })
	t.Run("RBAC", func(t *testing.T) { revoked(t, a) })
	t.Run("namespaces forbidden", func(t *testing.T) { withoutNamespaces(t, a) })
}

func (a *api) in(t *testing.T) *api {
	b := *a
	b.t = t
	return &b
}

func none(t *testing.T, a *api) {
	s := startMember(a.in(t))
	s.SetCredentials(member.Credentials{}, fmt.Errorf("secret kube-system/x: not found"))
	s.awaitTrouble(failure.BadKubeconfig, "not found")
	if v := s.View(); v.State != member.Unsynced || !strings.Contains(v.Err.Error(), "kubeconfig") {
		t.Errorf("%+v", v)
	}
	s.SetCredentials(member.Credentials{Kubeconfig: []byte("{]")}, nil)
	good := []byte(harness.ReadFile(t, a.up.Kubeconfig("c1")))
	s.SetCredentials(member.Credentials{Kubeconfig: good, Context: "nowhere"}, nil)
	s.SetCredentials(member.Credentials{Kubeconfig: good}, nil)
	s.await(settled, member.Fresh)
	// Bad ones, or none, change nothing.
	s.SetCredentials(member.Credentials{Kubeconfig: []byte("{]")}, nil)
	s.SetCredentials(member.Credentials{}, fmt.Errorf("secret kube-system/x: not found"))
	harness.Throughout(t, 500*time.Millisecond, "fresh", s.isFresh)
	if n := testutil.ToFloat64(s.metrics.Lists); n != 1 {
		t.Errorf("%v lists", n)
	}
}

func (s *subject) isFresh() error {
	if v := s.View(); v.State != member.Fresh {
		return fmt.Errorf("%v: %w", v.State, v.Err)
	}
	return nil
}

func wrongCA(t *testing.T, a *api) {
	other := startAPI(t)
	wrong := strings.Replace(harness.ReadFile(t, other.up.Kubeconfig("c1")), other.up.Server("c1"), a.up.Server("c1"), 1)
	s := startMember(a.in(t))
	s.SetCredentials(member.Credentials{Kubeconfig: []byte(wrong)}, nil)
	s.awaitTrouble(failure.TLS)
}

// rotated: new credentials are used with no gap, and so are those that are
// refused: then what there is goes on.
func rotated(t *testing.T, a *api) {
	all := [][2]string{theServices, theSlices, theNamespaces}
	first := a.account("first", all...)
	second := a.account("second", all...)
	s := startMember(a.in(t))
	s.use(first)
	s.await(settled, member.Fresh)
	if got := time.Until(s.Status().Credentials.Expires); got < 3000*time.Second || got > 3700*time.Second {
		t.Errorf("expires in %v s, want an hour", got)
	}
	s.use(second)
	harness.Throughout(t, 2*time.Second, "fresh", s.isFresh)
	if n := testutil.ToFloat64(s.metrics.Lists); n != 2 {
		t.Errorf("%v lists, want 2", n)
	}
	s.use(a.up.KubeconfigWithToken(t, "c1", "nonsense"))
	s.awaitTrouble(failure.Unauthorized)
	a.create("rotated")
	s.awaitService(key("rotated"), true) // the session before goes on
	harness.Throughout(t, 2*time.Second, "fresh", s.isFresh)
	s.use(first)
	harness.Eventually(t, settled, "lists", func() error {
		if n := testutil.ToFloat64(s.metrics.Lists); n != 3 {
			return fmt.Errorf("%v, want 3", n)
		}
		return nil
	})
	if err := s.isFresh(); err != nil {
		t.Error(err)
	}
	if n := testutil.ToFloat64(s.metrics.Troubles[failure.Unauthorized]); n != 1 {
		t.Errorf("told %v times", n)
	}
}

// expired: a token that is refused while its watches go on is told, and the data
// are fresh until the watches end.
func expired(t *testing.T, a *api) {
	path := a.account("mortal", theServices, theSlices, theNamespaces)
	s := startMember(a.in(t))
	s.use(path)
	s.await(settled, member.Fresh)
	a.must(a.admin.CoreV1().ServiceAccounts(namespace).Delete(t.Context(), "mortal", metav1.DeleteOptions{}))
	t.Logf("told after %v", eventuallyLong(t, s, failure.Unauthorized))
	if err := s.isFresh(); err != nil {
		t.Error(err)
	}
	a.up.Stop("c1")
	s.await(staleWithin, member.Stale)
	a.up.Start("c1")
	harness.Eventually(t, settled, "why", func() error {
		if v := s.View(); v.State != member.Stale || !strings.Contains(v.Err.Error(), "credentials") {
			return fmt.Errorf("%v %w", v.State, v.Err)
		}
		return nil
	})
	s.use(a.up.Kubeconfig("c1"))
	t.Logf("fresh %v after good credentials", s.await(freshWithin, member.Fresh))
}

// eventuallyLong: an API server believes in a token for some time, up to 10 s.
func eventuallyLong(t *testing.T, s *subject, r failure.Reason) time.Duration {
	t.Helper()
	return harness.Eventually(t, 30*time.Second, r.String(), func() error {
		if s.hasTold(r.String()) == 0 {
			return fmt.Errorf("not told")
		}
		return nil
	})
}

// revoked: what isn't allowed any more is named, and it goes on when it is again.
func revoked(t *testing.T, a *api) {
	path := a.account("limited", theServices, theNamespaces)
	s := startMember(a.in(t))
	s.use(path)
	s.awaitTrouble(failure.Forbidden, "endpointslices", "allow list and watch")
	if v := s.View(); v.State != member.Unsynced || !strings.Contains(v.Err.Error(), "forbids") {
		t.Errorf("%+v", v)
	}
	a.deny("limited")
	a.allow("limited", theServices, theSlices, theNamespaces)
	t.Logf("fresh %v after it was allowed", s.await(settled, member.Fresh))
	a.deny("limited")
	harness.Throughout(t, time.Second, "the watches go on", s.isFresh)
	a.up.Stop("c1") // so that they begin anew
	s.await(staleWithin, member.Stale)
	a.up.Start("c1")
	harness.Eventually(t, settled, "why", func() error {
		if v := s.View(); v.State != member.Stale || !strings.Contains(v.Err.Error(), "forbids") {
			return fmt.Errorf("%v %w", v.State, v.Err)
		}
		return nil
	})
	if s.View().Data.Service(key("one")) == nil {
		t.Error("the data are gone")
	}
	a.allow("limited", theServices, theSlices, theNamespaces)
	t.Logf("fresh %v after it was allowed again", s.await(settled, member.Fresh))
	if n := testutil.ToFloat64(s.metrics.Troubles[failure.Forbidden]); n > 4 { // one kind, then all three
		t.Errorf("told %v times", n)
	}
}

// withoutNamespaces: those exist that have a Service.
func withoutNamespaces(t *testing.T, a *api) {
	_, err := a.admin.CoreV1().Namespaces().Create(t.Context(), &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}, metav1.CreateOptions{})
	a.must(err)
	a.createIn("shop", "till")
	s := startMember(a.in(t))
	s.use(a.account("blind", theServices, theSlices))
	s.await(settled, member.Fresh)
	if d := s.View().Data; !d.HasNamespace("shop") || !d.HasNamespace("default") || d.HasNamespace("kube-public") {
		t.Error("namespaces aren't those of the services")
	}
	if s.hasTold("namespaces", "forbidden", "allow list and watch") != 1 {
		t.Error("what to allow isn't told")
	}
	a.must(a.admin.CoreV1().Services("shop").Delete(t.Context(), "till", metav1.DeleteOptions{}))
	harness.Eventually(t, settled, "shop", func() error {
		if s.View().Data.HasNamespace("shop") {
			return fmt.Errorf("still there")
		}
		return nil
	})
	a.deny("blind")
	a.allow("blind", theServices, theSlices, theNamespaces)
	harness.Eventually(t, time.Minute, "kube-public", func() error {
		if !s.View().Data.HasNamespace("kube-public") {
			return fmt.Errorf("missing")
		}
		return nil
	})
}

// TestFiles: a kubeconfig that names files beside it, which come later and change.
func TestFiles(t *testing.T) {
	a := startAPI(t)
	text := harness.ReadFile(t, a.up.Kubeconfig("c1"))
	ca, err := base64.StdEncoding.DecodeString(regexp.MustCompile(`certificate-authority-data: (\S+)`).FindStringSubmatch(text)[1])
	a.must(err)
	text = regexp.MustCompile(`certificate-authority-data: \S+`).ReplaceAllString(text, "certificate-authority: ca.crt")
	dir := t.TempDir()
	s := startMember(a)
	s.SetCredentials(member.Credentials{Kubeconfig: []byte(text), Dir: dir}, nil)
	s.awaitTrouble(failure.BadKubeconfig, "ca.crt")
	path := filepath.Join(dir, "ca.crt")
	a.must(os.WriteFile(path, ca, 0o600))
	s.await(settled, member.Fresh)
	a.must(os.WriteFile(path, append(ca, "\n# rotated\n"...), 0o600))
	harness.Eventually(t, 20*time.Second, "new session", func() error {
		if err := s.isFresh(); err != nil {
			t.Fatal(err)
		}
		if n := testutil.ToFloat64(s.metrics.Lists); n != 2 {
			return fmt.Errorf("%v lists", n)
		}
		return nil
	})
}
