package transport

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// TLSConfig is how a member's encrypted upstreams are verified, and this client to them.
type TLSConfig struct {
	config *tls.Config
}

// NewTLSConfig returns the configuration for upstreams whose certificates name serverName,
// or without it their address. nil authorities are the system's; without certificates the
// client is anonymous.
func NewTLSConfig(serverName string, authorities *x509.CertPool, certificates []tls.Certificate) *TLSConfig {
	return &TLSConfig{&tls.Config{
		ServerName: serverName, MinVersion: tls.VersionTLS12, RootCAs: authorities, Certificates: certificates,
	}}
}

// forUpstream returns a configuration for one upstream: sessions resume
// per server (RFC 8446, section 2.2). An address' zone is this machine's, and in no
// certificate (RFC 6874, section 4).
func (c *TLSConfig) forUpstream(u model.Upstream) *tls.Config {
	config := c.config.Clone()
	config.ServerName = cmp.Or(config.ServerName, u.Addr.Addr().WithZone("").String())
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	return config
}
