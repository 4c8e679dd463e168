package transport

import (
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Transport is a way to one upstream. Its methods may be called at the same time.
type Transport interface {
	// Send sends a message: at once, or as soon as there is a connection. Its call gets
	// one outcome of it, unless the call takes it back. With an error there is none.
	Send(m *Message) error
	// Fail ends what is in flight with err.
	Fail(err error)
	// InFlight returns how many messages are in flight.
	InFlight() int
	// Close ends everything; when it returns, no socket and no goroutine is left.
	Close()
}

// Options are a transport's.
type Options struct {
	// TLS is for the encrypted ones.
	TLS *TLSConfig
	// Timeout ends a request over HTTPS or QUIC that nobody waits for any more.
	Timeout time.Duration
	// Dropped is called for each reply that is dropped. It must not block.
	Dropped func(Drop)
}

// New returns the transports to an upstream: for datagrams, nil unless its scheme is
// dns://, and for streams. Neither opens a socket before the first message.
func New(address model.Upstream, o Options) (datagrams, streams Transport) {
	switch address.Scheme {
	case model.HTTPS:
		return nil, newRequests(o.Timeout, func() session { return newHTTPSSession(address, o.TLS) })
	case model.QUIC:
		return nil, newRequests(o.Timeout, func() session { return newQUICSession(address, o.TLS) })
	case model.DoT:
		return nil, newStreams(address, o.TLS.forUpstream(address), o.Dropped)
	case model.DNS:
		datagrams = newUDP(address.Addr, o.Dropped)
	}
	return datagrams, newStreams(address, nil, o.Dropped)
}
