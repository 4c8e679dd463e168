//go:build e2e

package configmap

import (
	"fmt"
	"testing"
	"time"
)

const (
	// churn is how often a member comes or goes.
	churn = 100
	// closed bounds the time until what the members that left had is closed:
	// they are drained for 5 s, and an idle socket of a member that stays is
	// kept for up to 20.
	closed = 25 * time.Second
	// goroutineSlack and fileSlack are for what the Go runtime, the API's
	// connection and a scrape have at one moment and not at another.
	goroutineSlack, fileSlack = 3, 2
)

// TestNothingLeft: members that come, are asked over UDP and TCP, and go, leave
// no goroutine, no socket and no series.
func TestNothingLeft(t *testing.T) {
	a := startAPI(t)
	c1 := startMember(t, "127.0.111.11", "10.101.0.1")
	c2 := startMember(t, "127.0.111.12", "10.102.0.1")
	a.write(one(member(1, c1.addr)))
	s := startServer(t, a.kubeconfig(theConfigMap()))
	s.await(t, seen, who("c1"), "NOERROR "+c1.mark)
	goroutines, files := s.metric("go_goroutines"), s.openFiles()

	start := time.Now()
	for i := range churn / 2 {
		name := fmt.Sprintf("x%d", i)
		added := member(2, c2.addr)
		added.name = name
		a.write(one(member(1, c1.addr), added))
		s.await(t, seen, who(name), "NOERROR "+c2.mark)
		if _, err := s.ask("tcp", who(name)); err != nil {
			t.Error(err)
		}
		a.write(one(member(1, c1.addr)))
		s.await(t, seen, who(name), unknown)
	}
	t.Logf("%d changes in %v; goroutines before %v, after %v; files before %d, after %d",
		churn, time.Since(start), goroutines, s.metric("go_goroutines"), files, s.openFiles())
	took := eventually(t, closed, "back to the beginning", func() error {
		g, f := s.metric("go_goroutines"), s.openFiles()
		if g > goroutines+goroutineSlack || f > files+fileSlack {
			return fmt.Errorf("%v goroutines, %v before; %d files, %d before", g, goroutines, f, files)
		}
		return nil
	})
	t.Logf("back to the beginning after %v", took)
	for i := range churn / 2 {
		if left := s.seriesOf(fmt.Sprintf("x%d", i)); len(left) > 0 {
			t.Errorf("series left: %q", left)
		}
	}
}
