package clusterset

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// authority is a certificate authority that the test makes, with a server's and
// a client's certificate in files.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	a.key = newKey(t)
	a.cert, _ = a.sign(t, "ca", template, template, a.key)
	a.issue(t, "server", "dns.c1.example")
	a.issue(t, "client", "clusterset")
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) issue(t *testing.T, file, name string) {
	t.Helper()
	a.sign(t, file, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, newKey(t))
}

func (a *authority) sign(t *testing.T, file string, template, parent *x509.Certificate, key *ecdsa.PrivateKey) (*x509.Certificate, []byte) {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	a.write(t, file+".pem", "CERTIFICATE", der)
	a.write(t, file+".key", "EC PRIVATE KEY", private)
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, der
}

func (a *authority) write(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(a.path(file), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (a *authority) path(file string) string { return filepath.Join(a.dir, file) }

// startEncrypted starts a real CoreDNS that serves the member's zone over scheme
// to clients with a certificate of a, and gives its address.
func (a *authority) startEncrypted(t *testing.T, scheme string) string {
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

// TestRotated: new TLS material in the files is taken up without a reload.
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
	eventually(t, 2*time.Second, "the new certificates", func() bool {
		return addressOf(lookup(t, s.addr, "udp", "web.default.c1.lan.", dns.TypeA)) == "10.101.1.1"
	})
}
