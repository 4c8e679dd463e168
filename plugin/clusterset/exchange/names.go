package exchange

import "github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"

// TLSConfig is transport's, until its callers use that; Drop and NewTLSConfig as well.
type TLSConfig = transport.TLSConfig

// Drop is transport's.
type Drop = transport.Drop

// NewTLSConfig is transport's.
var NewTLSConfig = transport.NewTLSConfig
