package exchange

import (
	"crypto/tls"
	"encoding/pem"
	"strings"
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
	material, err := NewTLSConfig("", TLSMaterial{CA: a.PEM})
	if err != nil {
		tb.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}, material
}

// TestGiantKeys: no work is begun with a key whose size makes it endless.
func TestGiantKeys(t *testing.T) {
	a := clustertest.NewAuthority(t)
	certificate, _ := a.Issue(t, "127.0.0.1")
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: make([]byte, 1<<18)})
	if _, err := NewTLSConfig("", TLSMaterial{CA: a.PEM, Cert: certificate, Key: key}); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("error %v", err)
	}
}
