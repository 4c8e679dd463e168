package exchange

import (
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
)

// candidates are the upstreams that a query may still be sent to, and what those did that
// failed it.
type candidates struct {
	client *Client
	tried  *attempts
	// tcp is the query's.
	tcp bool
	// start is where this query begins among the upstreams: each has its turn.
	start int
	// failed are the upstreams that failed this query, a bit each; streamless are those
	// of dns:// whose stream failed it.
	failed, streamless uint64
	// failure is what they did, nil as long as none has failed.
	failure *Error
}

// maxStreamAsks is how often an upstream that has streams alone is asked: nothing is
// lost over one, but the connection may be, without a word.
const maxStreamAsks = 4

// next returns the upstream to be asked next: of those that haven't failed, the one
// that was asked least, in turn. One that is ejected comes after the others have
// been asked twice. It is nil where there is none.
func (c *candidates) next(now time.Time, why reason) *upstream {
	const ejectedRank = 3
	var best *upstream
	least := 2 * transport.MaxMessages
	for i := range c.client.upstreams {
		u := c.client.upstreams[(c.start+i)%len(c.client.upstreams)]
		asked := c.tried.count(u)
		if c.hasFailed(u) || u.health.down.Load() || asked > 0 && !c.mayRepeat(now, u, why, asked) {
			continue
		}
		rank := 2 * asked
		if u.ejection.active(now) {
			rank += ejectedRank
		}
		if rank < least {
			best, least = u, rank
		}
	}
	if best == nil {
		return c.lastResort()
	}
	return best
}

// mayRepeat reports whether an upstream that was asked may be asked again: over a stream,
// not at once, and not without end.
func (c *candidates) mayRepeat(now time.Time, u *upstream, why reason, asked int) bool {
	if u.datagrams != nil && !c.tcp {
		return true
	}
	return why != hedge && (u.datagrams != nil || asked < maxStreamAsks) &&
		!c.tried.any(u, func(a *attempt) bool { return a.Stream && a.InFlight() && now.Sub(a.At) < transport.StreamStall })
}

// lastResort returns an upstream that is down, and may be back, nil when there is none. The
// member has answered since it was found down, or one that was up has failed just
// now: in a rolling restart, because this one is back. It may be known to be back only just
// now.
func (c *candidates) lastResort() *upstream {
	since := c.client.answered()
	if tried := c.tried.all(); len(tried) > 0 {
		since = max(since, c.client.clock(tried[0].At))
	}
	for _, u := range c.client.upstreams {
		if !c.hasFailed(u) && u.health.maybeBack(since) && c.tried.count(u) == 0 {
			return u
		}
	}
	return nil
}

// overStream reports whether the upstream is asked over a stream next. Where the client
// came over one, a dns:// upstream is, and over UDP if it is silent there, or has no
// stream: it may be one that speaks UDP alone.
func (c *candidates) overStream(now time.Time, u *upstream) bool {
	switch {
	case u.datagrams == nil:
		return true
	case !c.tcp, c.streamless&u.bit != 0, u.streaming.isMissing(now):
		return false
	}
	return c.tried.count(u)%2 == 0
}

// mayReply reports whether a reply may still come, from an upstream that hasn't failed.
func (c *candidates) mayReply() bool {
	for i := range c.tried.all() {
		if a := &c.tried.list[i]; a.InFlight() && !c.hasFailed(a.to) {
			return true
		}
	}
	return false
}

// onlyDown reports whether those that may still reply are all down: they are given one
// retransmission timeout, as a member that is gone is to fail soon.
func (c *candidates) onlyDown() bool {
	for i := range c.tried.all() {
		if a := &c.tried.list[i]; a.InFlight() && !a.to.health.down.Load() {
			return false
		}
	}
	return true
}

func (c *candidates) hasFailed(u *upstream) bool { return c.failed&u.bit != 0 }

// fail counts the upstream as one that failed the query.
func (c *candidates) fail(u *upstream, err error) {
	c.failed |= u.bit
	switch c.note(u, err) {
	case Canceled, Local: // says nothing about the upstream
	case Network:
		u.health.unreachable.Store(true)
		u.health.suspect()
	default:
		u.health.suspect()
	}
}

// note adds an upstream's error to the query's.
func (c *candidates) note(u *upstream, err error) Reason {
	if c.failure == nil {
		c.failure = &Error{Member: c.client.member.Name}
	}
	c.failure.add(u, err)
	reason := reasonOf(err)
	u.metrics.Failed[reason].Inc()
	return reason
}

// learn learns from the upstream's answer what it doesn't support: in another form, or
// over a stream, the same message brought nothing. One that is truncated may yet come
// whole over a new stream.
func (c *candidates) learn(now time.Time, a *attempt, reply *dns.Msg) {
	if c.tried.call.Len() == 1 {
		return
	}
	if isWithoutEDNS(a) && c.tried.any(a.to, func(o *attempt) bool { return !isWithoutEDNS(o) && !o.InFlight() }) {
		a.to.edns.remember(now)
	}
	if !a.Stream && !reply.Truncated {
		c.learnStreams(a.to)
	}
}

// learnStreams tests whether a dns:// upstream has streams, where one brought nothing: that
// may have been a connection, not all.
func (c *candidates) learnStreams(u *upstream) {
	if u.datagrams != nil && c.tried.any(u, func(a *attempt) bool { return a.Stream && (a.InFlight() || c.streamless&u.bit != 0) }) {
		u.streaming.test()
	}
}
