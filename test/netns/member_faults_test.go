//go:build e2e && linux

package netns

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// withinTimeout is when every query must have its reply.
const withinTimeout = pluginTimeout + slack

// TestMemberFaults is of a member with one upstream: what it can't answer fails
// in time, and no other member's names are any slower for it.
func TestMemberFaults(t *testing.T) {
	n := newFaultNet(t)
	direct, relayed := []string{n.first.address}, []string{n.relay.at}
	exact, fails := right(promptly), failed(withinTimeout)
	noReply, tc := unanswered(withinTimeout), truncated(withinTimeout)
	luck := either(right(pluginTimeout), fails)
	for i, f := range []fault{
		{name: "30% loss", upstreams: direct, begin: n.lose(), udp: luck, all: mostRight, clients: 100, pace: 200 * time.Millisecond},
		{name: "reordered", upstreams: relayed, begin: n.alter(reordered), udp: exact, tcp: exact},
		{name: "duplicates", upstreams: relayed, begin: n.alter(repeated(3)), udp: exact, tcp: exact},
		{name: "flood", upstreams: relayed, begin: n.alter(repeated(100)), udp: exact, tcp: exact, pace: 40 * time.Millisecond},
		{name: "wrong id", upstreams: relayed, begin: n.alter(wrongID), udp: noReply, tcp: noReply, dropped: true},
		{name: "wrong question", upstreams: relayed, begin: n.alter(wrongName), udp: noReply, tcp: noReply, dropped: true},
		{name: "garbage", upstreams: relayed, begin: n.alter(garbage), udp: noReply, tcp: noReply, dropped: true},
		{name: "forged source", upstreams: relayed, begin: n.alter(forged), udp: noReply, tcp: exact},
		{name: "TC, whole over TCP", upstreams: relayed, begin: n.alter(withTC(whole)), udp: exact, tcp: exact},
		{name: "TC, TCP refused", upstreams: relayed, begin: n.alterUDP(withTC(whole)), udp: tc, tcp: fails},
		{name: "TC, half a frame", upstreams: relayed, begin: n.alter(withTC(halfFrame)), udp: tc, tcp: fails},
		{name: "TC, a byte a second", upstreams: relayed, begin: n.alter(withTC(byteASecond)), udp: tc, tcp: fails},
		{name: "TC, endless frames", upstreams: relayed, begin: n.alter(withTC(endless)), udp: tc, tcp: fails},
		{name: "TC, a huge frame", upstreams: relayed, begin: n.alter(withTC(huge)), udp: tc, tcp: fails, pace: 40 * time.Millisecond},
		{name: "flapping", upstreams: relayed, begin: n.flap, udp: luck, tcp: luck},
		{name: "hangs, too many questions", upstreams: relayed, begin: n.alter(silent), udp: either(noReply, refused(promptly)), all: someRefused,
			clients: 1200, pace: 1500 * time.Millisecond, lasts: 2 * time.Second},
	} {
		t.Run(f.name, func(t *testing.T) { f.run(t, n, fmt.Sprintf("faulty%d", i)) })
	}
}

// mostRight is what is left of 30% loss both ways when packets are sent again in
// time: 51% of them get no reply.
func mostRight(during outcome) error {
	all := during.member
	if got := all.count(right(pluginTimeout)); got < len(all)*95/100 {
		return fmt.Errorf("%d of %d right, want 95%%", got, len(all))
	}
	return nil
}

func someRefused(during outcome) error {
	if during.member.count(refused(promptly)) == 0 {
		return errors.New("nothing was refused")
	}
	return nil
}
