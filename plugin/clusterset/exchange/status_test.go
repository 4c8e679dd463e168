package exchange

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/clustertest"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// TestStatus: an upstream's state, and since when, and what is known of it.
func TestStatus(t *testing.T) {
	server, arrived, release := held(t)
	silent := clustertest.Serve(t, clustertest.Silence)
	c, _ := newTestClient(t, Options{Hedging: Hedging{Off: true}}, server.Addr, silent.Addr)
	c.turn.Store(1)
	one, two := c.upstreams[0], c.upstreams[1]
	for _, u := range c.Status().Upstreams {
		if u.State != status.Up || !u.Since.Equal(c.made) || u.Error != "" || !u.EDNS || !u.Streams || u.P95Seconds != 0 || u.InFlight != 0 {
			t.Errorf("to begin with: %+v", u)
		}
	}

	asked := make(chan error)
	go func() {
		_, err := ask(c, plenty)
		asked <- err
	}()
	<-arrived
	if s := c.Status(); s.InFlight != 1 || s.Upstreams[0].InFlight < 1 {
		t.Errorf("in flight: %+v", s)
	}
	close(release)
	if err := <-asked; err != nil {
		t.Fatal(err)
	}

	before := time.Now()
	one.ejection.eject(before, errSlow)
	one.edns.until.Store(1 << 62)
	two.health.set(errors.New("x509: valid for evil\n[FATAL]"))
	for range firstRead {
		two.latency.add(10 * time.Millisecond)
	}
	s := c.Status()
	if u := s.Upstreams[0]; u.State != status.Ejected || !u.Since.Equal(before) || u.Error != errSlow.Error() || u.EDNS || !u.Streams {
		t.Errorf("ejected: %+v", u)
	}
	if u := s.Upstreams[1]; u.State != status.Down || u.Since.Before(before) || u.Error != `x509: valid for evil\n[FATAL]` || u.P95Seconds < 0.01 || u.P95Seconds > 0.02 || u.MedianSeconds != u.P95Seconds {
		t.Errorf("down: %+v", u)
	}
	text, err := json.Marshal(s)
	if want := `{"address":"` + server.Addr.String() + `","state":"ejected","since":"`; err != nil || !strings.Contains(string(text), want) {
		t.Errorf("%s, %v; want %s", text, err, want)
	}

	two.health.set(nil)
	if u := c.Status().Upstreams[1]; u.State != status.Up || u.Since.Before(s.Upstreams[1].Since) || u.Error != "" {
		t.Errorf("back: %+v", u)
	}
}

// TestStatusWhileAsked: who reads it holds nobody up.
func TestStatusWhileAsked(t *testing.T) {
	c, _ := newTestClient(t, Options{}, clustertest.Serve(t, clustertest.Zone(t, zone)).Addr)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			_ = c.Status()
		}
	}()
	for range 200 {
		m, err := ask(c, plenty)
		wantAddress(t, m, err)
	}
	cancel()
	<-done
	c.Close()
	if s := c.Status(); len(s.Upstreams) != 1 {
		t.Errorf("closed: %+v", s)
	}
}
