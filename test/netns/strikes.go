//go:build e2e && linux

package netns

import (
	"testing"
	"time"
)

// strike begins a fault at the member's first server, or between it and the
// asker; mend ends it.
type strike func(t testing.TB) (mend func())

// tell has the relay lie.
func (n *faultNet) tell(l *lie) strike {
	return func(t testing.TB) func() {
		n.relay.lie.Store(l)
		before := n.relay.replies.Load()
		return func() {
			n.relay.lie.Store(honest)
			if n.relay.replies.Load() == before {
				t.Error("the relay had nothing to lie about")
			}
		}
	}
}

// filter has the router do something with packets.
func (n *faultNet) filter(rules ...[]string) strike {
	return func(t testing.TB) func() {
		for _, rule := range rules {
			n.member.rule(t, rule...)
		}
		return func() { n.member.unfilter(t) }
	}
}

// lose has 30 of 100 packets lost, both ways.
func (n *faultNet) lose() strike {
	rule := func(direction string) []string {
		return []string{"ip", direction, n.first.address, "numgen", "random", "mod", "100", "<", "30", "drop"}
	}
	return n.filter(rule("daddr"), rule("saddr"))
}

// drop is a black hole.
func (n *faultNet) drop() strike {
	return n.filter([]string{"ip", "daddr", n.first.address, "drop"})
}

// closed is a rule that rejects what is sent to an address, as a closed port does.
func closed(address, protocol string, with ...string) []string {
	return append([]string{"ip", "daddr", address, "meta", "l4proto", protocol, "reject", "with"}, with...)
}

// reject closes the port.
func (n *faultNet) reject() strike {
	return n.filter(closed(n.first.address, "udp", "icmp", "type", "port-unreachable"), closed(n.first.address, "tcp", "tcp", "reset"))
}

// tellUDP has the relay lie, and closes its TCP port.
func (n *faultNet) tellUDP(l *lie) strike {
	return func(t testing.TB) func() {
		honestly := n.tell(l)(t)
		open := n.filter(closed(n.relay.at, "tcp", "tcp", "reset"))(t)
		return func() {
			honestly()
			open()
		}
	}
}

func (n *faultNet) freeze(t testing.TB) func() {
	n.first.freeze(t)
	return func() { n.first.thaw(t) }
}

func (n *faultNet) kill(t testing.TB) func() {
	n.first.kill(t)
	return func() { n.first.restart(t) }
}

// crash is over when the server is back.
func (n *faultNet) crash(t testing.TB) func() {
	n.first.kill(t)
	n.first.restart(t)
	return func() {}
}

// roll restarts one server after the other, as fast as a rolling update can: the
// second as soon as the first answers.
func (n *faultNet) roll(t testing.TB) func() {
	for _, s := range []*coredns{n.first, n.second} {
		s.end(t)
		s.restart(t)
	}
	return func() {}
}

// flap takes the relay away and brings it back, every 300 ms.
func (n *faultNet) flap(t testing.TB) func() {
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for range 4 {
		n.relay.stop()
		<-tick.C
		n.relay.start(t)
		<-tick.C
	}
	return func() {}
}
