package exchange

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"
)

// Options are a Client's, besides its member.
type Options struct {
	// Inflight bounds the queries in flight, with whatever else counts in it; more
	// are refused with a Busy error. nil is no bound.
	Inflight *Inflight
	// Probe is the EDNS of the health probes: what queries carry, so that an upstream
	// which doesn't support that is known. A Size of 0 is DatagramSize.
	Probe EDNS
	// Timeout is the longest that a query may take.
	Timeout time.Duration
	// TLS is for the encrypted upstreams; nil without any.
	TLS *transport.TLSConfig
	// Metrics must be complete.
	Metrics Metrics
	Hedging Hedging
	// Changed is called when an upstream goes down, with why, and comes back, with
	// nil; Ejected, when one is ejected, with for how long and why. They must not block.
	Changed func(model.Upstream, error)
	Ejected func(model.Upstream, time.Duration, error)
}

// Client asks the DNS service of one member. Its methods may be called at the
// same time.
//
// Equal queries in flight are asked once. A query goes to the upstreams in turn,
// those that are down or ejected left out; to the next one when one fails, says
// anything but NOERROR and NXDOMAIN, takes longer than usual (a hedge) or much longer. The
// first good reply is the query's. All down: the query fails at once.
type Client struct {
	member      *model.Cluster
	options     Options
	made        time.Time
	upstreams   []*upstream
	turn        atomic.Uint32
	flights     flights
	hedges      budget
	retransmits budget
	rtt         rtt

	ctx    context.Context //nolint:containedctx // of the tasks beside the queries; Close ends it
	cancel context.CancelFunc
	mu     sync.Mutex // orders spawn and Close
	tasks  sync.WaitGroup
}

// New returns a client for member. It opens no socket before the first query.
func New(member *model.Cluster, options Options) *Client {
	if options.Inflight == nil {
		options.Inflight = NewInflight(0)
	}
	if options.Probe.Size == 0 {
		options.Probe.Size = DatagramSize
	}
	c := &Client{member: member, options: options, made: time.Now(), flights: newFlights()}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	for i, address := range member.DNS {
		c.upstreams = append(c.upstreams, newUpstream(address, i, c))
	}
	return c
}

// Exchange asks for q and returns the reply, which answers it and has the id 0,
// with the upstream that sent it. The error is an *Error.
func (c *Client) Exchange(ctx context.Context, q *Query) (*dns.Msg, *model.Upstream, error) {
	if !c.options.Inflight.Enter() {
		c.options.Metrics.Rejected.Inc()
		return nil, nil, &Error{Member: c.member.Name, Reason: Busy}
	}
	defer c.options.Inflight.Leave()
	w, err := q.pack()
	if err != nil {
		return nil, nil, &Error{Member: c.member.Name, Reason: Unsendable, Err: err}
	}
	reply, from, err := c.share(ctx, q, w)
	w.Free() // not deferred: where share panics, a connection still has it
	if err != nil {
		return nil, nil, err
	}
	return reply, &from.address, nil
}

// clock returns a time as nanoseconds since the client was made, for atomics.
func (c *Client) clock(t time.Time) int64 { return int64(t.Sub(c.made)) }

// answered returns when the member last answered, by the client's clock.
func (c *Client) answered() int64 {
	var last int64
	for _, u := range c.upstreams {
		last = max(last, u.health.answered.Load())
	}
	return last
}

// hasOther reports whether an upstream besides u is in service.
func (c *Client) hasOther(u *upstream, now time.Time) bool {
	for _, other := range c.upstreams {
		if other != u && other.inService(now) {
			return true
		}
	}
	return false
}

// probeOthers has the upstreams besides u probed that are down: they are needed.
func (c *Client) probeOthers(u *upstream) {
	for _, other := range c.upstreams {
		if other != u {
			other.health.probeNow()
		}
	}
}

func (c *Client) allDown() *Error {
	failure := &Error{Member: c.member.Name, Reason: Down}
	for _, u := range c.upstreams {
		failure.add(u, u.health.cause())
	}
	failure.Reason = Down
	return failure
}

// Close ends the client: queries in flight fail, and when it returns, its
// sockets and goroutines are gone.
func (c *Client) Close() {
	c.mu.Lock()
	c.cancel()
	c.mu.Unlock()
	for _, u := range c.upstreams {
		u.close()
	}
	c.tasks.Wait()
}

// spawn runs f beside the queries, if the client isn't closed; Close waits for
// it.
func (c *Client) spawn(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() == nil {
		c.tasks.Go(f)
	}
}
