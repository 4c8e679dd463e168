package exchange

import (
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/status"
)

// Status returns the client's.
func (c *Client) Status() status.DNS {
	s := status.DNS{Upstreams: make([]status.Upstream, 0, len(c.upstreams)), InFlight: c.options.Inflight.count()}
	for _, u := range c.upstreams {
		s.Upstreams = append(s.Upstreams, u.status(time.Now()))
	}
	return s
}

func (u *upstream) status(now time.Time) status.Upstream {
	s := status.Upstream{
		Address:       u.address.String(),
		MedianSeconds: time.Duration(u.latency.median.Load()).Seconds(), P95Seconds: time.Duration(u.latency.p95.Load()).Seconds(),
		EDNS: u.edns.until.Load() == 0, Streams: u.streaming.until.Load() == 0,
	}
	var err error
	if s.State, s.Since, err = u.health.state(); s.State == status.Up && u.ejection.active(now) {
		s.State = status.Ejected
		s.Since, err = u.ejection.last()
	}
	if err != nil {
		s.Error = quotedError{err}.Error()
	}
	for _, t := range [...]transport.Transport{u.datagrams, u.streams} {
		if t != nil {
			s.InFlight += t.InFlight()
		}
	}
	return s
}

// state returns whether the upstream is up, since when, and why not.
func (h *health) state() (status.UpstreamState, time.Time, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down.Load() {
		return status.Down, h.since, h.err
	}
	return status.Up, h.since, nil
}

// last returns when the last ejection began, and why.
func (e *ejection) last() (time.Time, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.since, e.why
}

// count returns how many are in flight.
func (i *Inflight) count() int { return int(i.n.Load()) }
