package exchange

import (
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
)

// All that sends a query's message is here: the first, and what follows it.
//
//   - When a reply takes longer than usual: a hedge, to the next upstream.
//   - When none came within the retransmission timeout: a retransmission, to the next
//     upstream, or to the same one.
//   - When an upstream fails, and nothing else is in flight: a failover, to the next one.
//   - When it replies that it doesn't support EDNS: the query without, to the same one.
//   - When the reply is truncated: a TCP retry, of the same one.
//
// Hedges and retransmissions have a budget. A transport asks once more on another
// connection where one was closed with queries in flight (transport.isCutShort).

// onTime does what is due, and reports whether the query goes on.
func (r *race) onTime() bool {
	now := r.now
	if !now.Before(r.q.Deadline) || isDue(now, r.kept.until) && !r.askElse() {
		return false
	}
	if isDue(now, r.timers.hedge) {
		r.timers.hedge = time.Time{}
		if r.client.hedges.spend(hedgePrice) {
			r.send(hedge)
		}
	}
	return !isDue(now, r.timers.retransmit) || r.retransmit()
}

// retransmit sends the message again, and reports whether the query goes on. Where the
// budget is spent, it does so after the longest timeout.
func (r *race) retransmit() bool {
	r.attempts.suspect()
	if r.timers.rto < maxRTO && !r.client.retransmits.spend(retransmitPrice) {
		r.timers.retransmit = r.now.Add(maxRTO - r.timers.rto)
		r.timers.rto = maxRTO
		return true
	}
	r.timers.rto = min(2*r.timers.rto, maxRTO)
	if r.send(retransmit) {
		return true
	}
	r.timers.retransmit = r.now.Add(r.timers.rto)
	return !r.candidates.onlyDown()
}

// askElse asks on where no better reply may come, and reports whether it could. To a client
// over TCP a truncated reply is of no use: another upstream may have the whole.
func (r *race) askElse() bool {
	switch {
	case r.retryLarge():
		return true
	case r.kept.reply == nil:
		return r.send(failover)
	case !r.q.TCP || !r.kept.reply.Truncated:
		return false
	}
	r.candidates.failed |= r.kept.from.bit // it has no more to say
	r.kept.until = r.q.truncatedUntil(r.now)
	return r.send(failover)
}

// retryWithoutEDNS sends the message without EDNS to an upstream that replied that it
// doesn't support it, once, and reports whether it did so.
func (r *race) retryWithoutEDNS(a *attempt, err error) bool {
	if a.Form == wire.WithoutEDNS || r.q.EDNS.Size == 0 || !refusesEDNS(err) || r.attempts.full() || r.attempts.any(a.to, isWithoutEDNS) {
		return false
	}
	r.sendTo(a.to, withoutEDNS, a.Stream, wire.WithoutEDNS)
	return true
}

func isWithoutEDNS(a *attempt) bool { return a.Form == wire.WithoutEDNS }

// retryTruncated asks the upstream for the whole of a truncated reply: over a stream, else
// over UDP for as much as goes.
func (r *race) retryTruncated(u *upstream) {
	asked := r.attempts.any(u, func(a *attempt) bool { return a.why == tcpRetry }) || r.candidates.streamless&u.bit != 0 || u.streaming.isMissing(r.now)
	if asked || r.attempts.full() || !r.sendTo(u, tcpRetry, true, r.q.form(r.now, u, true)) {
		r.retryLarge()
	}
}

// retryLarge asks for a truncated reply that is kept with MaxSize, once, where the client can
// take it and there is no stream. It reports whether it did so.
func (r *race) retryLarge() bool {
	u := r.kept.from
	if u == nil || !r.kept.reply.Truncated || r.attempts.full() || r.q.EDNS.Size == 0 || !r.q.TCP && r.q.EDNS.Size <= DatagramSize {
		return false
	}
	if u.datagrams == nil || u.edns.isMissing(r.now) || r.attempts.any(u, func(a *attempt) bool { return a.Form == wire.Large }) {
		return false
	}
	r.kept.until = r.q.truncatedUntil(r.now)
	return r.sendTo(u, tcpRetry, false, wire.Large)
}

// truncatedPart is the part of the time left that asking for the whole of a
// truncated reply may take: the client can do that itself.
const truncatedPart = 4

// truncatedUntil returns the end of that time.
func (q *Query) truncatedUntil(now time.Time) time.Time {
	return now.Add(q.Deadline.Sub(now) / truncatedPart)
}

// send sends the message to the next upstream, or the one after it where that
// fails at once. It reports whether there was one.
func (r *race) send(why reason) bool {
	for !r.attempts.full() {
		u := r.candidates.next(r.now, why)
		if u == nil {
			return false
		}
		if stream := r.candidates.overStream(r.now, u); !r.sendTo(u, why, stream, r.q.form(r.now, u, stream)) {
			continue
		}
		p95 := r.client.p95(r.now)
		if after, ok := r.client.options.Hedging.hedgeAfter(p95); ok && why == first {
			r.timers.hedge = r.now.Add(after)
		}
		r.timers.rto = max(r.timers.rto, retransmissionTimeout(p95))
		r.timers.retransmit = r.now.Add(r.timers.rto)
		return true
	}
	return false
}

// sendTo sends the message to an upstream, and reports whether it could.
func (r *race) sendTo(u *upstream, why reason, stream bool, form wire.Form) bool {
	t, stream := u.transport(stream)
	fresh := why != withoutEDNS && r.attempts.asked(u, stream)
	a := r.attempts.add()
	a.to, a.why, a.At, a.Form, a.Stream, a.Fresh = u, why, r.now, form, stream, fresh
	if err := t.Send(a.Message); err != nil {
		r.q.observe(a, nil, err)
		r.fails(a, err)
		return false
	}
	switch why {
	case retransmit:
		u.metrics.Retransmitted.Inc()
	case hedge:
		u.metrics.Hedged.Inc()
	}
	return true
}

// refusesEDNS reports whether a reply says that the upstream doesn't support EDNS, or this
// version of it: RFC 6891, sections 6.1.3 and 7.
func refusesEDNS(err error) bool {
	rcode, ok := asRcode(err)
	return ok && (rcode == dns.RcodeFormatError || rcode == dns.RcodeNotImplemented || rcode == dns.RcodeBadVers)
}
