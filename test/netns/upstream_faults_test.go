//go:build e2e && linux

package netns

import (
	"fmt"
	"testing"
	"time"
)

// atFirst bounds an answer while nobody knows yet that one of two upstreams is
// of no use.
const atFirst = 500 * time.Millisecond

// TestUpstreamFaults is of a member with two upstreams, of which one has the
// fault, or both have it in turn: no query is lost.
func TestUpstreamFaults(t *testing.T) {
	n := newFaultNet(t)
	direct, relayed := []string{n.first.address, n.second.address}, []string{n.relay.at, n.second.address}
	soon := right(atFirst)
	for i, f := range []fault{
		{name: "dropped", upstreams: direct, begin: n.drop(), known: true, udp: soon, tcp: soon},
		{name: "rejected", upstreams: direct, begin: n.reject(), known: true, udp: soon, tcp: soon},
		{name: "stopped", upstreams: direct, begin: n.freeze, known: true, udp: soon, tcp: soon},
		{name: "killed", upstreams: direct, begin: n.kill, known: true, udp: soon, tcp: soon},
		{name: "killed and started again", upstreams: direct, begin: n.crash, udp: soon, tcp: soon},
		{name: "rolling restart", upstreams: direct, begin: n.roll, udp: soon, tcp: soon},
		{name: "flapping", upstreams: relayed, begin: n.flap, udp: soon, tcp: soon},
		{name: "wrong id", upstreams: relayed, begin: n.alter(wrongID), known: true, udp: soon, tcp: soon, dropped: true},
		{name: "wrong question", upstreams: relayed, begin: n.alter(wrongName), known: true, udp: soon, tcp: soon, dropped: true},
		{name: "garbage", upstreams: relayed, begin: n.alter(garbage), known: true, udp: soon, tcp: soon, dropped: true},
		{name: "forged source", upstreams: relayed, begin: n.alter(forged), known: true, udp: soon, tcp: soon},
		{name: "TC, half a frame", upstreams: relayed, begin: n.alter(withTC(halfFrame)), udp: either(soon, truncated(withinTimeout)), tcp: soon},
		{name: "5% late", upstreams: relayed, begin: n.alter(fewLate()), udp: soon, tcp: soon, all: tailCut, clients: 18, lasts: 1500 * time.Millisecond},
	} {
		t.Run(f.name, func(t *testing.T) { f.run(t, n, fmt.Sprintf("faulty%d", i)) })
	}
}

// tailCut: 200 ms of delay are 30 at the most of a p99 that at least 2,000
// queries tell.
func tailCut(during outcome) error {
	asked, p99 := len(during.member), during.member.p99()
	if bound := 30*time.Millisecond + 2*during.straight.p99(); p99 > bound || asked < 2000 {
		return late(fmt.Sprintf("p99 of %d is %v, want %v of 2000", asked, p99, bound))
	}
	return nil
}
