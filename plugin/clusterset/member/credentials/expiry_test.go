package credentials

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

func certificate(t *testing.T, begin, end time.Time) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: begin, NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func jwt(claims string) string {
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
}

func TestExpiry(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(d time.Duration) time.Time { return begin.Add(d) }
	claims := func(from, to time.Duration) string {
		return jwt(fmt.Sprintf(`{"iat":%d,"exp":%d}`, at(from).Unix(), at(to).Unix()))
	}
	year := 365 * 24 * time.Hour
	for _, tc := range []struct {
		name      string
		cert      []byte
		token     string
		end, warn time.Time
	}{
		{name: "nothing"},
		{name: "opaque token", token: "a.b.c"},
		{name: "no claims", token: jwt(`{"sub":"x"}`)},
		{name: "an hour", token: claims(0, time.Hour), end: at(time.Hour), warn: at(54 * time.Minute)},
		{name: "of unknown age", token: jwt(fmt.Sprintf(`{"exp":%d}`, at(48*time.Hour).Unix())), end: at(48 * time.Hour), warn: at(24 * time.Hour)},
		{name: "a year", cert: certificate(t, begin, at(year)), end: at(year), warn: at(year - 7*24*time.Hour)},
		{name: "the token first", cert: certificate(t, begin, at(year)), token: claims(0, time.Hour), end: at(time.Hour), warn: at(54 * time.Minute)},
		{name: "the certificate first", cert: certificate(t, begin, at(10*time.Minute)), token: claims(0, time.Hour), end: at(10 * time.Minute), warn: at(9 * time.Minute)},
		{name: "no certificate", cert: []byte("nonsense")},
	} {
		e := ExpiryOf(&rest.Config{BearerToken: tc.token, TLSClientConfig: rest.TLSClientConfig{CertData: tc.cert}})
		if !e.End.Equal(tc.end) || !tc.end.IsZero() && !e.WarnFrom().Equal(tc.warn) {
			t.Errorf("%s: %v, warned from %v; want %v, %v", tc.name, e.End, e.WarnFrom(), tc.end, tc.warn)
		}
	}
}
