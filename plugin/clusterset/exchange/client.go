package exchange

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"

	"github.com/miekg/dns"
)

// Options are what a Client is told besides its member.
type Options struct {
	// Inflight bounds the queries in flight, with whatever else counts in it; more
	// are refused with a Busy error. nil is no bound.
	Inflight *Inflight
	// Probe is the EDNS of the health probes: what queries carry, so that an upstream
	// which doesn't take that is known. A Size of 0 is DatagramSize.
	Probe EDNS
	// Timeout is the longest that a query may take.
	Timeout time.Duration
	// TLS is for the encrypted upstreams; nil without any.
	TLS *TLSConfig
	// Metrics must be whole.
	Metrics Metrics
	Hedging Hedging
	// Changed is told when an upstream goes down, with why, and comes back, with
	// nil; Ejected, when one is ejected, for how long and why. They must not block.
	Changed func(model.Upstream, error)
	Ejected func(model.Upstream, time.Duration, error)
}

// Client asks the DNS service of one member. Its methods may be called at the
// same time.
//
// Equal queries under way are asked once. A query goes to the upstreams in turn,
// those that are down or ejected left out; to the next one when one fails, says
// anything but NOERROR and NXDOMAIN, takes longer than usual (a hedge) or much longer. The
// first good reply is the query's. All down: the query fails at once.
type Client struct {
	member    *model.Cluster
	options   Options
	made      time.Time
	upstreams []*upstream
	turn      atomic.Uint32
	flights   flights
	hedges    budget
	resends   budget

	ctx    context.Context //nolint:containedctx // of the tasks beside the queries; Close ends it
	cancel context.CancelFunc
	mu     sync.Mutex // orders spawn and Close
	tasks  sync.WaitGroup
}

// Attempt is one message to one upstream. One that another's reply came before has
// neither reply nor error.
type Attempt struct {
	Upstream model.Upstream
	// Local is the address the query left from, nil when it didn't.
	Local net.Addr
	// Proto is "udp" or "tcp".
	Proto string
	Start time.Time
	// Query is the observer's own.
	Query *dns.Msg
	// Reply is nil when Err is not.
	Reply *dns.Msg
	Err   error
}

// New makes a client for member. It opens no socket before the first query.
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
	options.Metrics.Up.Add(float64(len(c.upstreams)))
	return c
}

// Exchange asks for q and gives the reply, which answers it and has the id 0,
// with the upstream that gave it. The error is an *Error.
func (c *Client) Exchange(ctx context.Context, q *Query) (*dns.Msg, *model.Upstream, error) {
	if !c.options.Inflight.Enter() {
		c.options.Metrics.Rejected.Inc()
		return nil, nil, &Error{Member: c.member.Name, Reason: Busy}
	}
	defer c.options.Inflight.Leave()
	w, err := newWire(q)
	if err != nil {
		return nil, nil, &Error{Member: c.member.Name, Reason: Unsendable, Err: err}
	}
	reply, from, err := c.share(ctx, q, w)
	w.free() // not deferred: where share panics, a connection still has it
	if err != nil {
		return nil, nil, err
	}
	return reply, &from.address, nil
}

// answered is when the member last answered, as health's.
func (c *Client) answered() int64 {
	var last int64
	for _, u := range c.upstreams {
		last = max(last, u.health.answered.Load())
	}
	return last
}

// lookAtOthers has the upstreams besides u probed that are down: they are needed.
func (c *Client) lookAtOthers(u *upstream) {
	for _, other := range c.upstreams {
		if other != u {
			other.look()
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
	for _, u := range c.upstreams {
		if u.health.down.Load() {
			c.options.Metrics.Down.Dec()
		} else {
			c.options.Metrics.Up.Dec()
		}
		if u.ejection.until.Load() != 0 {
			c.options.Metrics.Ejected.Dec()
		}
	}
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
