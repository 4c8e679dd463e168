package member

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

const kubeconfig = `
apiVersion: v1
kind: Config
current-context: one
contexts:
- {name: one, context: {cluster: c, user: u}}
- {name: two, context: {cluster: c2, user: u}}
clusters:
- {name: c, cluster: {server: "https://192.0.2.1:6443"%s}}
- {name: c2, cluster: {server: "https://192.0.2.2:6443"}}
users:
- {name: u, user: {%s}}
`

func TestKubeconfig(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "ca.crt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, cluster, user, dir, context string
		host, err                         string
	}{
		{name: "token", user: "token: x", host: "https://192.0.2.1:6443"},
		{name: "context", user: "token: x", context: "two", host: "https://192.0.2.2:6443"},
		{name: "no such context", user: "token: x", context: "three", err: "three"},
		{name: "exec", user: "exec: {command: sh, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never}", err: "exec: refused"},
		{name: "provider", user: "auth-provider: {name: oidc}", err: "auth-provider: refused"},
		{name: "files", cluster: ", certificate-authority: /ca", user: "client-certificate: crt, client-key: key, tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token", err: "tokenFile: refused"},
		{name: "files of a file", cluster: ", certificate-authority: ca.crt", user: "token: x", dir: "/etc/k", host: "https://192.0.2.1:6443"},
	} {
		if tc.dir != "" {
			tc.dir = folder
		}
		c := Credentials{Kubeconfig: fmt.Appendf(nil, kubeconfig, tc.cluster, tc.user), Dir: tc.dir, Context: tc.context}
		config, err := c.restConfig()
		switch {
		case tc.err != "":
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s: error %v, want %s", tc.name, err, tc.err)
			}
		case err != nil:
			t.Errorf("%s: %v", tc.name, err)
		case config.Host != tc.host:
			t.Errorf("%s: host %s", tc.name, config.Host)
		case tc.dir != "" && config.CAFile != filepath.Join(folder, "ca.crt"):
			t.Errorf("%s: CA in %s", tc.name, config.CAFile)
		}
	}
	for _, nonsense := range []string{"", "{", "a: b", "apiVersion: v1\nkind: Config\n", strings.Repeat("x", 1<<20)} {
		c := Credentials{Kubeconfig: []byte(nonsense)}
		if _, err := c.restConfig(); err == nil {
			t.Errorf("no error for %.20q", nonsense)
		}
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ca")
	digests := make(map[string]bool)
	for _, text := range []string{"one", "two", "two"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		config := &rest.Config{TLSClientConfig: rest.TLSClientConfig{CAFile: path}}
		digest, err := load(config)
		if err != nil || string(config.CAData) != text || config.CAFile != "" {
			t.Errorf("%v %+v", err, config.TLSClientConfig)
		}
		digests[digest] = true
	}
	if len(digests) != 2 {
		t.Errorf("%d digests of two contents", len(digests))
	}
	if _, err := load(&rest.Config{TLSClientConfig: rest.TLSClientConfig{CAFile: path + "x"}}); err == nil {
		t.Error("no error for a missing file")
	}
}

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
		e := expiryOf(&rest.Config{BearerToken: tc.token, TLSClientConfig: rest.TLSClientConfig{CertData: tc.cert}})
		if !e.end.Equal(tc.end) || !tc.end.IsZero() && !e.warnFrom().Equal(tc.warn) {
			t.Errorf("%s: %v, warned from %v; want %v, %v", tc.name, e.end, e.warnFrom(), tc.end, tc.warn)
		}
	}
}
