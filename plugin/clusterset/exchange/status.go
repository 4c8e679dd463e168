package exchange

import (
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
)

// Status is a Client's at one moment.
type Status struct {
	Upstreams []UpstreamStatus `json:"upstreams"`
	// InFlight is how many queries count in the bound of those in flight.
	InFlight int `json:"inFlight"`
}

// UpstreamStatus is one upstream's.
type UpstreamStatus struct {
	Address string `json:"address"`
	State   State  `json:"state"`
	// Since is when it came into that state; an upstream is up to begin with.
	Since time.Time `json:"since"`
	// Error is why it is down or ejected. Its text may come from outside; it is escaped.
	Error string `json:"error,omitempty"`
	// Half of the replies take no longer than MedianSeconds, and 95 of 100 no longer than
	// P95Seconds, of late; 0 is not known.
	MedianSeconds float64 `json:"medianSeconds"`
	P95Seconds    float64 `json:"p95Seconds"`
	// EDNS and Streams are false where it turned out not to support them.
	EDNS    bool `json:"edns"`
	Streams bool `json:"streams"`
	// InFlight is how many messages are.
	InFlight int `json:"inFlight"`
}

// State is an upstream's.
type State string

const (
	// Up is for one that is asked in turn.
	Up State = "up"
	// Ejected is for one that is asked when the others let a query down.
	Ejected State = "ejected"
	// Unavailable is for one that is probed, and asked as a last resort.
	Unavailable State = "down"
)

// Status returns the client's.
func (c *Client) Status() Status {
	s := Status{Upstreams: make([]UpstreamStatus, 0, len(c.upstreams)), InFlight: c.options.Inflight.count()}
	for _, u := range c.upstreams {
		s.Upstreams = append(s.Upstreams, u.status(time.Now()))
	}
	return s
}

func (u *upstream) status(now time.Time) UpstreamStatus {
	s := UpstreamStatus{
		Address:       u.address.String(),
		MedianSeconds: time.Duration(u.latency.median.Load()).Seconds(), P95Seconds: time.Duration(u.latency.p95.Load()).Seconds(),
		EDNS: u.edns.until.Load() == 0, Streams: u.streaming.until.Load() == 0,
	}
	var err error
	if s.State, s.Since, err = u.health.state(); s.State == Up && u.ejection.active(now) {
		s.State = Ejected
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
func (h *health) state() (State, time.Time, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down.Load() {
		return Unavailable, h.since, h.err
	}
	return Up, h.since, nil
}

// last returns when the last ejection began, and why.
func (e *ejection) last() (time.Time, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.since, e.why
}

// count returns how many are in flight.
func (i *Inflight) count() int { return int(i.n.Load()) }
