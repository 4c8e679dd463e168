package exchange

import (
	"crypto/tls"
	"crypto/x509"
)

// TLSConfig is how the encrypted upstreams of a member are verified and what
// they are shown.
type TLSConfig struct {
	config *tls.Config
}

// NewTLSConfig is for upstreams whose certificates name serverName, or without it their
// address. No authorities are the system's, no certificates an anonymous client.
func NewTLSConfig(serverName string, authorities *x509.CertPool, certificates []tls.Certificate) *TLSConfig {
	return &TLSConfig{&tls.Config{
		ServerName: serverName, MinVersion: tls.VersionTLS12, RootCAs: authorities, Certificates: certificates,
	}}
}

// forUpstream is a configuration of its own for each upstream: sessions resume
// per server (RFC 8446, section 2.2).
func (c *TLSConfig) forUpstream() *tls.Config {
	config := c.config.Clone()
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	return config
}
