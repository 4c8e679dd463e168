package exchange

import (
	"crypto/tls"
	"testing"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

// testTLS gives a server's configuration, with a certificate for 127.0.0.1, and the
// client's that trusts it.
func testTLS(tb testing.TB) (*tls.Config, *TLSConfig) {
	tb.Helper()
	a := clustertest.NewAuthority(tb)
	pair, err := tls.X509KeyPair(a.Issue(tb, "127.0.0.1"))
	if err != nil {
		tb.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}, NewTLSConfig("", a.Pool(), nil)
}
