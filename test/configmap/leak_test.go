//go:build e2e

package configmap

import (
	"fmt"
	"testing"
	"time"
)

// churn is how often a member comes or goes.
const churn = 100

// TestNothingLeft: members that come, are asked over UDP and TCP, and go, leave
// no goroutine, no socket and no series.
func TestNothingLeft(t *testing.T) {
	a, c1, s := startServing(t)
	c2 := startMember(t, "127.0.111.12", "10.102.0.1")
	before, start := s.Resources(), time.Now()
	for i := range churn / 2 {
		name := fmt.Sprintf("x%d", i)
		added := member(2, c2.Addr)
		added.name = name
		a.write(one(member(1, c1.Addr), added))
		s.Await(t, seen, who(name), answer(c2.mark))
		if _, err := s.Ask("tcp", who(name)); err != nil {
			t.Error(err)
		}
		a.write(one(member(1, c1.Addr)))
		s.Await(t, seen, who(name), unknown)
	}
	t.Logf("%d changes in %v", churn, time.Since(start))
	s.AwaitReleased(t, before)
	for i := range churn / 2 {
		s.AwaitNoSeries(t, fmt.Sprintf("x%d", i))
	}
}
