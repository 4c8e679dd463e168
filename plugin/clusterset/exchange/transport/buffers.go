package transport

import (
	"sync"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
)

// bufferSize is one byte more than a datagram may have: when that is read, it was longer.
const bufferSize = wire.MaxSize + 1

var buffers = sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}
