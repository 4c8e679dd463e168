package exchange

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
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
// per server (RFC 8446, section 2.2). An address' zone is this machine's, and in no
// certificate (RFC 6874, section 4).
func (c *TLSConfig) forUpstream(u model.Upstream) *tls.Config {
	config := c.config.Clone()
	config.ServerName = cmp.Or(config.ServerName, u.Addr.Addr().WithZone("").String())
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	return config
}
