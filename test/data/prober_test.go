//go:build e2e

package data

import (
	"fmt"
	"testing"
	"time"
)

// probePause is between a prober's looks.
const probePause = 10 * time.Millisecond

// prober asks all the time and keeps everything wrong, and how long the slowest
// answer took.
type prober struct {
	stop, done chan struct{}
	asked      int
	slowest    time.Duration
	wrong      []error
}

// probe asks for the name until the prober's end; the reply has to be one of
// those.
func (s *server) probe(name string, replies ...string) *prober {
	p := &prober{stop: make(chan struct{}), done: make(chan struct{})}
	go p.run(func() error { return s.answers(name, replies...) })
	return p
}

func (p *prober) run(look func() error) {
	defer close(p.done)
	pause := time.NewTicker(probePause)
	defer pause.Stop()
	for {
		p.asked++
		start := time.Now()
		if err := look(); err != nil {
			p.wrong = append(p.wrong, fmt.Errorf("%s %w", start.Format("15:04:05.000"), err))
		}
		p.slowest = max(p.slowest, time.Since(start))
		select {
		case <-p.stop:
			return
		case <-pause.C:
		}
	}
}

// end ends it, and fails the test where a reply was wrong.
func (p *prober) end(t *testing.T) {
	t.Helper()
	close(p.stop)
	<-p.done
	if len(p.wrong) > 0 {
		t.Errorf("%d of %d replies are wrong, the first: %v; the last: %v", len(p.wrong), p.asked, p.wrong[0], p.wrong[len(p.wrong)-1])
	}
}

// probeAll asks every server for who of the member. Wherever the answer is from,
// there has to be one, and fresh is whether it has to be from fresh data.
func probeAll(servers []*server, c *cluster, fresh bool) (end func(*testing.T)) {
	var all []*prober
	for _, s := range servers {
		replies := []string{fromData(c.ip(1))}
		switch {
		case fresh:
		case s.mode == auto:
			replies = append(replies, fromDNS(c.forwardedIP()))
		default:
			replies = append(replies, stale(c.ip(1)))
		}
		all = append(all, s.probe(name(who, c.name), replies...))
	}
	return func(t *testing.T) {
		t.Helper()
		for i, p := range all {
			p.end(t)
			t.Logf("%s: %d answers for %s, the slowest after %v", servers[i].mode, p.asked, c.name, p.slowest)
		}
	}
}
