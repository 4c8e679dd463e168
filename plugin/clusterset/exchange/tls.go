package exchange

import (
	"crypto/tls"
	"errors"
	"fmt"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/boundedfile"
)

// TLSConfig is how the encrypted upstreams of a member are verified and what
// they are shown.
type TLSConfig struct {
	config *tls.Config
}

// TLSMaterial is PEM text, from files or a Secret. Empty is none: no CA means
// the system's, no certificate an anonymous client.
type TLSMaterial struct {
	CA, Cert, Key []byte
}

// NewTLSConfig reads the material. serverName is what the upstreams'
// certificates must name; without it they must name their address.
func NewTLSConfig(serverName string, m TLSMaterial) (*TLSConfig, error) {
	config := &tls.Config{ServerName: serverName, MinVersion: tls.VersionTLS12}
	if len(m.CA) > 0 {
		var err error
		if config.RootCAs, err = boundedfile.Authorities(m.CA); err != nil {
			return nil, fmt.Errorf("CA: %w", err)
		}
		if config.RootCAs == nil {
			return nil, errors.New("CA: no PEM certificate in it")
		}
	}
	if len(m.Cert) > 0 || len(m.Key) > 0 {
		pair, err := boundedfile.KeyPair(m.Cert, m.Key)
		if err != nil {
			return nil, fmt.Errorf("client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return &TLSConfig{config}, nil
}

// forUpstream is a configuration of its own for each upstream: sessions resume
// per server (RFC 8446, section 2.2).
func (c *TLSConfig) forUpstream() *tls.Config {
	config := c.config.Clone()
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	return config
}
