//go:build e2e && linux

package netns

import (
	"cmp"
	"testing"
	"time"
)

// loads are on the member and on another.
type loads struct{ member, other *load }

func (f fault) loads(asker, member, other *cluster) loads {
	const pace = 8 * time.Millisecond
	l := loads{
		member: &load{from: asker, of: member, udp: cmp.Or(f.clients, 8), tcp: 2, pace: cmp.Or(f.pace, pace)},
		other:  &load{from: asker, of: other, udp: 3, tcp: 1, pace: pace},
	}
	if f.tcp == nil {
		l.member.tcp = 0
	}
	return l
}

// outcome is what they got.
type outcome struct{ member, other answers }

// run has the clients ask while f runs.
func (l loads) run(t testing.TB, f func()) outcome {
	t.Helper()
	endMember, endOther := l.member.begin(t), l.other.begin(t)
	f()
	return outcome{endMember(), endOther()}
}

func (o outcome) log(t testing.TB, when string) outcome {
	t.Helper()
	t.Logf("%s: %v", when, o.member)
	t.Logf("%s, other: %v", when, o.other)
	return o
}
