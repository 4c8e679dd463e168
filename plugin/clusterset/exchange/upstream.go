package exchange

import (
	"context"
	"net"
	"time"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/model"

	"github.com/miekg/dns"
)

// upstream is one address of the member's DNS service.
type upstream struct {
	address model.Upstream
	client  *Client
	udp     *udpTransport // only of a dns:// address
	stream  *streamTransport
	health  health
	late    func() // suspect, bound once
}

func newUpstream(address model.Upstream, c *Client) *upstream {
	u := &upstream{address: address, client: c, stream: newStream(address, c.options.TLS, c.options.Timeout)}
	u.late = u.suspect
	if address.Scheme == model.DNS {
		u.udp = newUDP(address.Addr, c.options.Metrics.Dropped.Inc)
	}
	return u
}

// exchange asks the upstream from start, which is now, until deadline. A
// truncated reply over UDP is asked again over TCP, unless the client can't take
// more anyway.
func (u *upstream) exchange(ctx context.Context, q *Query, w *wire, start, deadline time.Time) (*dns.Msg, error) {
	if u.udp == nil || q.TCP {
		return u.overStream(ctx, q, start, deadline)
	}
	reply, local, err := u.udp.exchange(ctx, w, start, deadline, u.late)
	reply, err = u.judge(q, "udp", start, reply, local, err)
	if err != nil || !reply.Truncated || !q.takesMore() {
		return reply, err
	}
	now := time.Now()
	whole, err := u.overStream(ctx, q, now, now.Add(deadline.Sub(now)/wholeShare))
	if err != nil {
		return reply, nil // the client sees TC and asks over TCP itself
	}
	return whole, nil
}

func (u *upstream) overStream(ctx context.Context, q *Query, start, deadline time.Time) (*dns.Msg, error) {
	reply, local, err := u.stream.exchange(ctx, q, deadline)
	return u.judge(q, "tcp", start, reply, local, err)
}

// wholeShare is the part of the time left that asking for the whole of a
// truncated reply may take: the client can do that itself.
const wholeShare = 4

// judge takes in how an attempt ended: SERVFAIL and REFUSED are failures of the
// upstream, every other rcode is an answer.
func (u *upstream) judge(q *Query, proto string, start time.Time, reply *dns.Msg, local net.Addr, err error) (*dns.Msg, error) {
	metrics := &u.client.options.Metrics
	if err == nil {
		metrics.Attempts.Observe(time.Since(start).Seconds())
	}
	if q.Observe != nil {
		q.Observe(Attempt{Upstream: u.address, Local: local, Proto: u.proto(proto), Start: start, Query: q.message(), Reply: reply, Err: err})
	}
	if err == nil {
		err = rcodeFailure(reply)
	}
	if err == nil {
		return reply, nil
	}
	reason := reasonOf(err)
	metrics.Failed[reason].Inc()
	switch reason {
	case Canceled, Local: // says nothing about the upstream
	case Network:
		u.health.unreachable.Store(true)
		u.suspect()
	default:
		u.suspect()
	}
	return nil, err
}

// proto is what the upstream is reached over: QUIC runs over UDP.
func (u *upstream) proto(asked string) string {
	if u.address.Scheme == model.QUIC {
		return "udp"
	}
	return asked
}

func rcodeFailure(reply *dns.Msg) error {
	if reply.Rcode == dns.RcodeServerFailure || reply.Rcode == dns.RcodeRefused {
		return rcodeError(reply.Rcode)
	}
	return nil
}

func (u *upstream) close() {
	if u.udp != nil {
		u.udp.close()
	}
	u.stream.close()
}
