package controlplane

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// kubeconfigTemplate holds the certificate itself, not its path, so that the
// file works as a Secret too. test/apiserver replaces its token line.
const kubeconfigTemplate = `apiVersion: v1
kind: Config
clusters:
- name: %[1]s
  cluster:
    server: %[2]s
    certificate-authority-data: %[3]s
users:
- name: admin
  user:
    token: %[4]s
contexts:
- name: %[1]s
  context: {cluster: %[1]s, user: admin}
current-context: %[1]s
`

// writeKubeconfig writes the administrator's kubeconfig. The API server's
// certificate is its own authority.
func writeKubeconfig(path, cluster, server, certFile, token string) error {
	cert, err := os.ReadFile(certFile)
	if err != nil {
		return err
	}
	text := fmt.Sprintf(kubeconfigTemplate, cluster, server, base64.StdEncoding.EncodeToString(cert), token)
	return os.WriteFile(path, []byte(text), 0o600)
}

// ensureFile writes what make returns to path, unless an earlier run in the
// same directory did: its data outlive it, so its keys must too.
func ensureFile(path string, make func() ([]byte, error)) error {
	_, err := os.Stat(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := make()
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// newSigningKey is the key of a cluster's ServiceAccount tokens. Each cluster
// has its own, so that a token of one is refused by the others.
func newSigningKey() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), nil
}
