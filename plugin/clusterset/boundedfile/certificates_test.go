package boundedfile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
)

func inPEM(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// certificate of a key that somebody says is theirs.
func certificate(t *testing.T, public any) []byte {
	t.Helper()
	by, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, by)
	must(t, err)
	return inPEM("CERTIFICATE", der)
}

func ofBits(n uint) *rsa.PublicKey {
	modulus := new(big.Int).Lsh(big.NewInt(1), n-1)
	return &rsa.PublicKey{N: modulus.SetBit(modulus, 0, 1), E: 65537}
}

// TestCertificates: no key is accepted whose size makes work without an end.
func TestCertificates(t *testing.T) {
	small, large := certificate(t, ofBits(8192)), certificate(t, ofBits(8193))
	for name, tc := range map[string]struct {
		text []byte
		err  string
		none bool
	}{
		"small":           {text: small},
		"large":           {text: large, err: "RSA key of 8193 bits: must have at most 8192"},
		"large of two":    {text: append(append([]byte(nil), small...), large...), err: "RSA key"},
		"as large as can": {text: certificate(t, ofBits(4<<20)), err: "RSA key"},
		"none":            {text: []byte("x"), none: true},
		"broken":          {text: inPEM("CERTIFICATE", []byte("x")), none: true},
		"another":         {text: inPEM("X", []byte("x")), none: true},
		"broken and good": {text: append(inPEM("CERTIFICATE", []byte("x")), small...)},
	} {
		pool, err := Authorities(tc.text)
		if tc.err == "" && (err != nil || (pool == nil) != tc.none) || tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeyPair: so with private keys, which aren't even parsed.
func TestKeyPair(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	good, of := inPEM("PRIVATE KEY", der), certificate(t, key.Public())
	if pair, err := KeyPair(of, good); err != nil || pair.Leaf == nil {
		t.Errorf("error %v", err)
	}
	if _, err := KeyPair(append(of, good...), append(of, good...)); err != nil { // in one file
		t.Errorf("error %v", err)
	}
	for _, kind := range []string{"PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"} {
		text := append([]byte("text\n"), inPEM(kind, make([]byte, maxKey+1))...)
		if _, err := KeyPair(of, text); err == nil || !strings.Contains(err.Error(), "too large") {
			t.Errorf("%s: error %v", kind, err)
		}
	}
	if _, err := KeyPair(certificate(t, ofBits(2048)), good); err == nil {
		t.Error("no error for another's key")
	}
	if _, err := KeyPair(of, nil); err == nil {
		t.Error("no error without a key")
	}
}
