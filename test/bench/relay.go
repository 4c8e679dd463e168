package main

import (
	"net"
	"sync/atomic"
	"time"

	"github.com/coredns-clusterset/clusterset/test/harness"
)

// startRelay starts an upstream that hands queries to the member, and some of its
// replies back late.
func startRelay() (*harness.Relay, error) {
	var replies atomic.Int64
	relay := &harness.Relay{
		Addr: net.JoinHostPort(lateAddress, port), Server: net.JoinHostPort(memberAddress, port),
		Packet: func(to harness.Peer, reply []byte) {
			if replies.Add(1)%lateEvery == 0 {
				time.AfterFunc(lateBy, func() { to.Send(reply) })
				return
			}
			to.Send(reply)
		},
	}
	return relay, relay.Start()
}
