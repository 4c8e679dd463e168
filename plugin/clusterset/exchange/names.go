package exchange

import "github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"

// Names of package transport's, until its callers use those.
type (
	TLSConfig = transport.TLSConfig
	Drop      = transport.Drop
)

// NewTLSConfig is transport's.
var NewTLSConfig = transport.NewTLSConfig
