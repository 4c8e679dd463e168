//go:build e2e

package configmap

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/test/harness"
)

const (
	serverName = "dns.c2.example"
	secret     = "c2-dns-tls"
)

// rotated bounds the time from a rotation to answers: the upstream was found
// down in between, and is asked anew with the new CA at once.
const rotated = 5 * time.Second

// startTLSMember starts a member's DNS that serves DNS over TLS.
func startTLSMember(t *testing.T, ca *clustertest.Authority, ip, mark string) *dnsService {
	t.Helper()
	cert, key := ca.Issue(t, serverName)
	m := newMember(t, ip, mark, "tls://", "tls cert.pem key.pem", map[string]string{"cert.pem": string(cert), "key.pem": string(key)})
	m.awaitTLS(ca)
	return m
}

func (m *dnsService) awaitTLS(ca *clustertest.Authority) {
	m.t.Helper()
	m.await(dns.Client{Net: "tcp-tls", TLSConfig: &tls.Config{RootCAs: ca.Pool(), ServerName: serverName}})
}

// overTLS is c2's entry, whose CA is in a Secret.
func overTLS(addr, secret string) entry {
	e := member(2, "tls://"+addr)
	e.more = fmt.Sprintf("tls: {serverName: %s, secret: %s/%s}", serverName, namespace, secret)
	return e
}

// writeCA makes the Secret.
func (a *api) writeCA(ca *clustertest.Authority) time.Time {
	a.t.Helper()
	object := &v1.Secret{ObjectMeta: named(secret), StringData: map[string]string{"ca.crt": string(ca.PEM)}}
	return harness.Put(a.t, a.admin.CoreV1().Secrets(namespace), object)
}

// TestTLSRotation: a new CA in the Secret is in use without a restart.
func TestTLSRotation(t *testing.T) {
	a := startAPI(t)
	first, second := clustertest.NewAuthority(t), clustertest.NewAuthority(t)
	c1 := startMember(t, "127.0.111.11", "10.101.0.1")
	c2 := startTLSMember(t, first, "127.0.111.12", "10.102.0.1")
	a.writeCA(first)
	a.write(one(member(1, c1.Addr), overTLS(c2.Addr, secret)))
	s := startServer(t, a.kubeconfig(theConfigMap(), watching("secrets", secret)))
	s.Await(t, seen, who("c2"), answer(c2.mark))
	others := s.Probe(who("c1"), answer(c1.mark))

	c2.Stop()
	cert, key := second.Issue(t, serverName)
	c2.Write("cert.pem", string(cert))
	c2.Write("key.pem", string(key))
	c2.Start()
	c2.awaitTLS(second)
	harness.Eventually(t, rotated, "distrust", func() error {
		if reply, err := s.Ask("udp", who("c2")); err != nil || reply.Rcode != dns.RcodeServerFailure {
			return fmt.Errorf("%v %w, want SERVFAIL: nobody vouches for the new certificate yet", reply, err)
		}
		return nil
	})
	written := a.writeCA(second)
	s.Await(t, rotated, who("c2"), answer(c2.mark))
	t.Logf("answers %v after the Secret was rotated", time.Since(written))
	others.End(t)
	s.AwaitMetrics(t, harness.Drained, map[string]float64{upstreams("c2", "up"): 1, upstreams("c2", "down"): 0})
}

// TestSecretTrouble: a Secret that can't be had is its member's trouble alone,
// and the client is told of it.
func TestSecretTrouble(t *testing.T) {
	a := startAPI(t)
	ca := clustertest.NewAuthority(t)
	c1 := startMember(t, "127.0.111.11", "10.101.0.1")
	c2 := startTLSMember(t, ca, "127.0.111.12", "10.102.0.1")
	a.write(one(member(1, c1.Addr), overTLS(c2.Addr, secret)))
	s := startServer(t, a.kubeconfig(theConfigMap(), watching("secrets", secret)))
	s.Await(t, seen, who("c1"), answer(c1.mark))
	others := s.Probe(who("c1"), answer(c1.mark))

	t.Run("missing", func(t *testing.T) { s.explains(t, secret+": not found") })
	t.Run("forbidden", func(t *testing.T) {
		a.write(one(member(1, c1.Addr), overTLS(c2.Addr, "forbidden")))
		s.explains(t, "forbidden: forbidden; allow get, list and watch of it")
	})
	t.Run("nonsense", func(t *testing.T) {
		a.write(one(member(1, c1.Addr), overTLS(c2.Addr, secret)))
		a.writeCA(&clustertest.Authority{PEM: []byte("nonsense")})
		s.explains(t, "CA: no PEM certificate in it")
	})
	t.Run("mended", func(t *testing.T) {
		written := a.writeCA(ca)
		s.Await(t, rotated, who("c2"), answer(c2.mark))
		t.Logf("answers %v after the Secret was there", time.Since(written))
	})
	t.Run("deleted", func(t *testing.T) {
		a.must(a.admin.CoreV1().Secrets(namespace).Delete(t.Context(), secret, metav1.DeleteOptions{}))
		harness.Eventually(t, seen, "warning", func() error {
			if s.Logged("[WARNING]", secret+": not found; what was read before stays in use") == 0 {
				return fmt.Errorf("none")
			}
			return nil
		})
		s.Want(t, who("c2"), answer(c2.mark))
	})
	others.End(t)
	if s.Metric(harness.Responses("c2", "SERVFAIL", "forward")) == 0 {
		t.Error("no SERVFAIL of c2 counted")
	}
}

// explains waits for a SERVFAIL that tells the reason, in the log too.
func (s *server) explains(t *testing.T, reason string) {
	t.Helper()
	harness.Eventually(t, seen, "reason in the reply", func() error {
		reply, err := s.Ask("udp", who("c2"))
		if err != nil {
			return err
		}
		if short, why := harness.Describe(reply); short != noDNS || !strings.Contains(why, "member c2: ") || !strings.Contains(why, reason) {
			return fmt.Errorf("%s %q, want %s %q", short, why, noDNS, reason)
		}
		return nil
	})
	if s.Logged("plugin/clusterset", "Member c2 can't be asked", reason) == 0 {
		t.Errorf("%q is not in the log", reason)
	}
}

// TestTLSReload: a reload keeps TLS material too, so that a member asked over
// TLS loses nothing, even without an API server.
func TestTLSReload(t *testing.T) {
	a := startAPI(t)
	ca := clustertest.NewAuthority(t)
	c2 := startTLSMember(t, ca, "127.0.111.12", "10.102.0.1")
	a.writeCA(ca)
	a.write(one(overTLS(c2.Addr, secret)))
	s := startServer(t, a.kubeconfig(theConfigMap(), watching("secrets", secret)))
	s.Await(t, seen, who("c2"), answer(c2.mark))
	for _, test := range []struct {
		name   string
		before func()
	}{
		{"with the API server", func() {}},
		{"without the API server", func() { a.up.Stop("api") }},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.before()
			served := s.Probe(who("c2"), answer(c2.mark))
			for range 5 {
				s.Reload()
			}
			s.Want(t, who("c2"), answer(c2.mark))
			served.End(t)
		})
	}
}
