//go:build e2e && linux

package netns

import (
	"cmp"
	"fmt"
	"testing"
	"time"
)

// loads are on the member and on another, through the asker's DNS, and straight on
// that other one's: what the machine alone does to a question.
type loads struct{ member, other, straight *load }

// loads are the fault's on the member; those on the other one go on with names that
// no fault has asked for.
func (f fault) loads(n *faultNet, member *cluster) loads {
	l := loads{member: n.asker.load(member, cmp.Or(f.clients, 8), 2), other: n.others, straight: n.straight}
	l.member.pace = cmp.Or(f.pace, l.member.pace)
	if f.tcp == nil {
		l.member.tcp = 0
	}
	return l
}

// load is on another cluster, through the cluster's own DNS.
func (c *cluster) load(of *cluster, udp, tcp int) *load {
	return &load{from: c, server: c.dnsAddress(), of: of, domain: of.name + ".lan.", udp: udp, tcp: tcp, pace: 8 * time.Millisecond}
}

// outcome is what they got.
type outcome struct{ member, other, straight answers }

// run has the clients ask while f runs.
func (l loads) run(t testing.TB, f func()) outcome {
	t.Helper()
	endMember, endOther, endStraight := l.member.begin(t), l.other.begin(t), l.straight.begin(t)
	f()
	return outcome{endMember(), endOther(), endStraight()}
}

func (o outcome) log(t testing.TB, when string) outcome {
	t.Helper()
	t.Logf("%s: %v", when, o.member)
	t.Logf("%s, other: %v", when, o.other)
	t.Logf("%s, straight: %v", when, o.straight)
	return o
}

// noise is what two runs' p99 may differ by when nothing is wrong: on two cores,
// 20 of 0.7 s were at 2.0 to 5.1 ms.
const noise = 5 * time.Millisecond

// asFast says that p99, of this outcome, isn't that of an earlier one: at most 1.2
// times as long, but for the noise. Where something else is under way on the
// machine, a question that goes straight has its share of that, and one that goes
// through two servers has it twice.
func (o outcome) asFast(what string, p99, earlier time.Duration) []error {
	if want := earlier*6/5 + noise + 2*o.straight.p99(); p99 > want {
		return []error{late(fmt.Sprintf("%s: p99 %v, want %v at most", what, p99, want))}
	}
	return nil
}
