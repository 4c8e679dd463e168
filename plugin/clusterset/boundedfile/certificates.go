package boundedfile

import (
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
)

// Work with an RSA key grows with the cube of its size, and none of Go's waits for
// a context: a key of 1 MiB takes minutes to read, a signature by it days.
const (
	// maxRSA is the most that Go's TLS accepts from a peer, in bits.
	maxRSA = 8192
	// maxKey is for a private key's DER: one of 8192 bits has less than 5 KB.
	maxKey = 8 << 10
)

// Authorities returns the certificates in PEM text, read as AppendCertsFromPEM does; nil
// where there is none.
func Authorities(text []byte) (*x509.CertPool, error) {
	var pool *x509.CertPool
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" || len(block.Headers) > 0 {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			continue
		}
		if err := checkSize(certificate.PublicKey); err != nil {
			return nil, err
		}
		if pool == nil {
			pool = x509.NewCertPool()
		}
		pool.AddCert(certificate)
	}
	return pool, nil
}

// KeyPair returns a certificate with its key, read as tls.X509KeyPair does.
func KeyPair(certificate, key []byte) (tls.Certificate, error) {
	for block, rest := pem.Decode(key); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, "PRIVATE KEY") && len(block.Bytes) > maxKey {
			return tls.Certificate{}, fmt.Errorf("private key: too large: must be at most %d bytes", maxKey)
		}
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return pair, checkSize(pair.Leaf.PublicKey)
}

func checkSize(key any) error {
	if key, is := key.(*rsa.PublicKey); is && key.N.BitLen() > maxRSA {
		return fmt.Errorf("RSA key of %d bits: must have at most %d", key.N.BitLen(), maxRSA)
	}
	return nil
}
