package corefile

import (
	"crypto/tls"
	"testing"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

// certificates are an authority, and the paths of PEM files: its own, and of what it
// signed.
type certificates struct {
	authority                                        *clustertest.Authority
	ca, serverCert, serverKey, clientCert, clientKey string
}

// newCertificates makes them, the server's for that name.
func newCertificates(t *testing.T, serverName string) certificates {
	t.Helper()
	a := clustertest.NewAuthority(t)
	c := certificates{authority: a, ca: write(t, "ca.crt", string(a.PEM))}
	pair := func(file, name string) (string, string) {
		cert, key := a.Issue(t, name)
		return write(t, file+".crt", string(cert)), write(t, file+".key", string(key))
	}
	c.serverCert, c.serverKey = pair("server", serverName)
	c.clientCert, c.clientKey = pair("client", "asker.example")
	return c
}

// trusting is a client's configuration that trusts the authority and shows
// nothing of its own.
func (c certificates) trusting(serverName string) *tls.Config {
	return &tls.Config{RootCAs: c.authority.Pool(), ServerName: serverName, MinVersion: tls.VersionTLS12}
}

// client is trusting's, with the client's certificate.
func (c certificates) client(t *testing.T, serverName string) *tls.Config {
	t.Helper()
	config := c.trusting(serverName)
	pair, err := tls.LoadX509KeyPair(c.clientCert, c.clientKey)
	if err != nil {
		t.Fatal(err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config
}
