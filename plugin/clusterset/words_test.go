package clusterset

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
)

// TestMaterialWords: what is in TLS material that can't be used, a Secret's or a file's,
// is told to no client.
func TestMaterialWords(t *testing.T) {
	authority := clustertest.NewAuthority(t)
	cert, key := authority.Issue(t, "dns.example")
	const evil = "visit evil.example"
	uri := append([]byte{0x86, byte(len("http://[evil.example"))}, "http://[evil.example"...)
	names := pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: append([]byte{0x30, byte(len(uri))}, uri...)}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), ExtraExtensions: []pkix.Extension{names}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: evil, Bytes: []byte("x")})
	for name, files := range map[string][3][]byte{
		"a block in the certificate": {authority.PEM, block, key},
		"a block in the key":         {authority.PEM, cert, block},
		"a certificate's name":       {authority.PEM, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), key},
		"no authority":               {block, cert, key},
		"not a key":                  {authority.PEM, cert, pem.EncodeToMemory(&pem.Block{Type: evil + " PRIVATE KEY", Bytes: []byte(evil)})},
	} {
		dir := t.TempDir()
		for i, file := range []string{"ca", "cert", "key"} {
			if err := os.WriteFile(filepath.Join(dir, file), files[i], 0o600); err != nil {
				t.Fatal(err)
			}
		}
		tls := ", tls: {caFile: " + dir + "/ca, certFile: " + dir + "/cert, keyFile: " + dir + "/key}"
		s := serveSet(t, clusterAt("c1", "tls://127.77.0.9:1", tls), "")
		m := lookup(t, s.addr, "udp", "web.default.c1.lan.", dns.TypeA)
		_, text := explanation(m)
		if m.Rcode != dns.RcodeServerFailure || strings.Contains(text, "evil") || !strings.HasPrefix(text, "member c1: ") {
			t.Errorf("%s: %q", name, text)
		}
		s.stop()
	}
}
