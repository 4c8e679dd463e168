//go:build e2e

package harness

import (
	"fmt"
	"testing"
	"time"
)

// Prober looks all the time, beside the test, and keeps everything wrong: at one
// name's answers, say, beside dnsperf, which doesn't look into replies.
type Prober struct {
	stop, done chan struct{}
	wrong      []error

	// Looked is how often it looked, Slowest how long the longest look took. Both
	// may be read after End.
	Looked  int
	Slowest time.Duration
}

// Probe starts one. look runs in a goroutine of its own, so it may not end the
// test.
func Probe(look func() error) *Prober {
	p := &Prober{stop: make(chan struct{}), done: make(chan struct{})}
	go p.run(look)
	return p
}

func (p *Prober) run(look func() error) {
	defer close(p.done)
	pause := time.NewTicker(pollPause)
	defer pause.Stop()
	for {
		p.Looked++
		start := time.Now()
		if err := look(); err != nil {
			p.wrong = append(p.wrong, fmt.Errorf("%s %w", start.Format("15:04:05.000"), err))
		}
		p.Slowest = max(p.Slowest, time.Since(start))
		select {
		case <-p.stop:
			return
		case <-pause.C:
		}
	}
}

// End ends it, fails the test where a look found something wrong, and gives how
// many looks there were.
func (p *Prober) End(t testing.TB) int {
	t.Helper()
	close(p.stop)
	<-p.done
	if n := len(p.wrong); n > 0 {
		t.Errorf("%d of %d looks found something wrong, the first: %v; the last: %v", n, p.Looked, p.wrong[0], p.wrong[n-1])
	}
	return p.Looked
}
