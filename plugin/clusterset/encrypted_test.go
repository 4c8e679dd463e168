package clusterset

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

// authority is a certificate authority that the test makes, with a server's and
// a client's certificate in files.
type authority struct{ dir string }

func newAuthority(t *testing.T) authority {
	t.Helper()
	a, ca := authority{t.TempDir()}, clustertest.NewAuthority(t)
	a.write(t, "ca.pem", ca.PEM)
	for file, name := range map[string]string{"server": "dns.c1.example", "client": "clusterset"} {
		cert, key := ca.Issue(t, name)
		a.write(t, file+".pem", cert)
		a.write(t, file+".key", key)
	}
	return a
}

func (a authority) write(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(a.path(file), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (a authority) path(file string) string { return filepath.Join(a.dir, file) }

// startEncrypted starts a real CoreDNS that serves the member's zone over scheme
// to clients with a certificate of a, and gives its address.
func (a authority) startEncrypted(t *testing.T, scheme string) string {
	t.Helper()
	addr := freeAddress(t, "127.0.63.10")
	_, port, _ := net.SplitHostPort(addr)
	startCoreDNS(t, scheme+"://cluster.local:"+port+" {\nbind 127.0.63.10\ntls "+a.path("server.pem")+" "+a.path("server.key")+" "+a.path("ca.pem")+
		" {\nclient_auth require_and_verify\n}\nfile testdata/c1.zone\n}")
	return addr
}

func TestEncrypted(t *testing.T) {
	a := newAuthority(t)
	good := ", tls: {serverName: dns.c1.example, caFile: " + a.path("ca.pem") + ", certFile: " + a.path("client.pem") + ", keyFile: " + a.path("client.key") + "}"
	anonymous := ", tls: {serverName: dns.c1.example, caFile: " + a.path("ca.pem") + "}"
	wrongName := ", tls: {serverName: dns.c2.example, caFile: " + a.path("ca.pem") + ", certFile: " + a.path("client.pem") + ", keyFile: " + a.path("client.key") + "}"
	for _, scheme := range []string{"tls", "https", "quic"} {
		t.Run(scheme, func(t *testing.T) {
			addr := scheme + "://" + a.startEncrypted(t, scheme)
			s := serveSet(t, clusterAt("good", addr, good)+clusterAt("anonymous", addr, anonymous)+clusterAt("wrong", addr, wrongName)+clusterAt("unknown", addr, ""), "")
			for range 3 { // over a kept connection too
				if m := lookup(t, s.addr, "udp", "web.default.good.lan.", dns.TypeA); addressOf(m) != "10.101.1.1" {
					t.Errorf("good: %v", m)
				}
			}
			for _, member := range []string{"anonymous", "wrong", "unknown"} {
				m := lookup(t, s.addr, "udp", "web.default."+member+".lan.", dns.TypeA)
				code, text := explanation(m)
				if m.Rcode != dns.RcodeServerFailure || (code != dns.ExtendedErrorCodeNetworkError && code != dns.ExtendedErrorCodeNoReachableAuthority) {
					t.Errorf("%s: %s, EDE %d %s", member, dns.RcodeToString[m.Rcode], code, text)
				}
				t.Logf("%s: %s", member, text)
			}
		})
	}
}

// TestRotated: new TLS credentials in the files is used without a reload.
func TestRotated(t *testing.T) {
	server, files := newAuthority(t), newAuthority(t)
	addr := "tls://" + server.startEncrypted(t, "tls")
	s := serveSet(t, clusterAt("c1", addr, ", tls: {serverName: dns.c1.example, caFile: "+files.path("ca.pem")+", certFile: "+files.path("client.pem")+", keyFile: "+files.path("client.key")+"}"), "")
	if m := lookup(t, s.addr, "udp", "web.default.c1.lan.", dns.TypeA); m.Rcode != dns.RcodeServerFailure {
		t.Fatalf("with another's certificates: %v", m)
	}
	for _, file := range []string{"client.key", "client.pem", "ca.pem"} {
		text, err := os.ReadFile(server.path(file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(files.path(file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, inTime, "the new certificates", func() bool {
		return addressOf(lookup(t, s.addr, "udp", "web.default.c1.lan.", dns.TypeA)) == "10.101.1.1"
	})
}

// TestBadMaterial: TLS material that can't be used, as while a certificate and its key
// are replaced one after the other, doesn't replace what is in use.
func TestBadMaterial(t *testing.T) {
	a := newAuthority(t)
	_, another := clustertest.NewAuthority(t).Issue(t, "clusterset")
	addr := "tls://" + a.startEncrypted(t, "tls")
	s := serveSet(t, clusterAt("c1", addr, ", tls: {serverName: dns.c1.example, caFile: "+a.path("ca.pem")+", certFile: "+a.path("client.pem")+", keyFile: "+a.path("client.key")+"}"), "cache 0")
	for _, bad := range []struct {
		file string
		text []byte
	}{{"ca.pem", nil}, {"ca.pem", []byte("nonsense")}, {"client.key", nil}, {"client.key", another}} {
		good, err := os.ReadFile(a.path(bad.file))
		if err != nil {
			t.Fatal(err)
		}
		a.write(t, bad.file, bad.text)
		for end := time.Now().Add(time.Second); time.Now().Before(end); { // it is read by then
			if m := lookup(t, s.addr, "udp", "web.default.c1.lan.", dns.TypeA); addressOf(m) != "10.101.1.1" {
				t.Fatalf("%s, %q: %v", bad.file, bad.text, m)
			}
		}
		a.write(t, bad.file, good)
	}
}
