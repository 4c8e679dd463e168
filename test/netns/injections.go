//go:build e2e && linux

package netns

import (
	"testing"
	"time"
)

// injection begins a fault at the member's first server, or between it and the
// asker; end ends it.
type injection func(t testing.TB) (end func())

// alter has the relay do that to replies.
func (n *faultNet) alter(f *replyFault) injection {
	return func(t testing.TB) func() {
		n.relay.fault.Store(f)
		before := n.relay.Replies()
		return func() {
			n.relay.fault.Store(unaltered)
			if n.relay.Replies() == before {
				t.Error("the relay had no reply")
			}
		}
	}
}

// filter has the router do something with packets.
func (n *faultNet) filter(rules ...[]string) injection {
	return func(t testing.TB) func() {
		for _, rule := range rules {
			n.member.rule(t, rule...)
		}
		return func() { n.member.unfilter(t) }
	}
}

// lose has 30 of 100 packets lost, both ways.
func (n *faultNet) lose() injection {
	rule := func(direction string) []string {
		return []string{"ip", direction, n.first.address, "numgen", "random", "mod", "100", "<", "30", "drop"}
	}
	return n.filter(rule("daddr"), rule("saddr"))
}

// drop is a black hole.
func (n *faultNet) drop() injection {
	return n.filter([]string{"ip", "daddr", n.first.address, "drop"})
}

// closed is a rule that rejects what is sent to an address, as a closed port does.
func closed(address, protocol string, with ...string) []string {
	return append([]string{"ip", "daddr", address, "meta", "l4proto", protocol, "reject", "with"}, with...)
}

// reject closes the port.
func (n *faultNet) reject() injection {
	return n.filter(closed(n.first.address, "udp", "icmp", "type", "port-unreachable"), closed(n.first.address, "tcp", "tcp", "reset"))
}

// alterUDP is alter, with the relay's TCP port closed.
func (n *faultNet) alterUDP(f *replyFault) injection {
	return func(t testing.TB) func() {
		endUDP := n.alter(f)(t)
		endTCP := n.filter(closed(n.relay.at, "tcp", "tcp", "reset"))(t)
		return func() {
			endUDP()
			endTCP()
		}
	}
}

func (n *faultNet) freeze(testing.TB) func() {
	n.first.Freeze()
	return n.first.Thaw
}

func (n *faultNet) kill(t testing.TB) func() {
	n.first.Kill()
	return func() { n.first.restart(t) }
}

// crash is over when the server is back.
func (n *faultNet) crash(t testing.TB) func() {
	n.first.Kill()
	n.first.restart(t)
	return func() {}
}

// roll restarts one server after the other, as fast as a rolling update can: the
// second as soon as the first answers.
func (n *faultNet) roll(t testing.TB) func() {
	for _, s := range []*coredns{n.first, n.second} {
		s.Stop()
		s.restart(t)
	}
	return func() {}
}

// flap takes the relay away and brings it back, every 300 ms.
func (n *faultNet) flap(t testing.TB) func() {
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for range 4 {
		n.relay.Stop()
		<-tick.C
		n.relay.Reopen(t)
		<-tick.C
	}
	return func() {}
}
