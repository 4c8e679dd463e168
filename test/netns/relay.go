//go:build e2e && linux

package netns

import (
	"net"
	"sync/atomic"
	"testing"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// relay stands at an address in a cluster and passes questions on to a server
// there, and its replies back as a fault wants them.
type relay struct {
	*harness.Relay
	at    string // an address; port 53 of it
	fault atomic.Pointer[replyFault]
}

// startRelay starts one that alters nothing; the test's end stops it.
func (c *cluster) startRelay(t testing.TB, at, server string) *relay {
	t.Helper()
	r := &relay{at: at}
	r.fault.Store(unaltered)
	r.Relay = &harness.Relay{
		Addr: net.JoinHostPort(at, "53"), Server: net.JoinHostPort(server, "53"), Inside: c.ns.inside,
		Packet: func(to harness.Peer, reply []byte) { r.fault.Load().packet(to, reply) },
		Message: func(client net.Conn, reply []byte, gone <-chan struct{}) {
			r.fault.Load().message(client, reply, gone)
		},
	}
	r.Reopen(t)
	t.Cleanup(r.Stop)
	return r
}
