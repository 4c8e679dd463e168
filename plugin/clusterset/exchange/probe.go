package exchange

import (
	"context"
	"errors"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/transport"
	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
)

const (
	// probeTimeout is for a datagram; a stream has its handshake's time, of three round
	// trips more.
	probeTimeout = time.Second
	// ednsTimeout is how long a probe waits for a reply before it is sent without EDNS
	// too, and ednsGrace how long the reply with it may come after the one without: an
	// upstream that drops EDNS is known while the query that met it has time left.
	ednsTimeout, ednsGrace = 200 * time.Millisecond, 100 * time.Millisecond
	// ednsTries are how many in a row an upstream must let pass to be one that drops EDNS.
	ednsTries = 3
)

// probe is a question for the SOA of the member's domain: cheap for the member,
// never passed on by it, and only a server of that domain says more than REFUSED. It
// carries what queries carry, for an upstream that answers nothing else is of no use.
type probe struct {
	u      *upstream
	query  *wire.Query
	call   transport.Call
	stream bool
	// next is when something is to be done, end when its time is over.
	next, end time.Time
	// bare is set when it was sent without EDNS too, answered when that was answered, and
	// refused when it was refused with.
	bare, answered, refused bool
}

func (u *upstream) newProbe(now time.Time, stream bool) (*probe, error) {
	q, err := wire.Pack(&wire.Question{Name: u.client.member.ClusterDomain, Type: dns.TypeSOA, RecursionDesired: true, EDNS: u.client.options.Probe})
	if err != nil {
		return nil, err
	}
	p := &probe{u: u, query: q}
	p.call.Begin(q)
	_, p.stream = u.transport(stream)
	p.end = now.Add(probeTimeout)
	if p.stream {
		p.end = now.Add(transport.HandshakeTimeout)
	}
	return p, nil
}

func (p *probe) close() {
	p.call.End()
	p.query.Free()
}

// probe returns why the upstream doesn't answer, nil where it does, and finds out whether
// it supports EDNS.
func (u *upstream) probe(ctx context.Context) error {
	now := time.Now()
	p, err := u.newProbe(now, false)
	if err != nil {
		return err
	}
	defer p.close()
	p.next = now.Add(ednsTimeout)
	if u.edns.isMissing(now) {
		p.next = now
	}
	if err := p.send(wire.Usual); err != nil {
		return err
	}
	for {
		o, err := p.call.Wait(ctx, time.Until(p.next))
		if err != nil {
			return err
		}
		done := false
		if o.Message == nil {
			done, err = p.onTime()
		} else {
			done, err = p.judge(&o)
		}
		if done || err != nil {
			return err
		}
	}
}

func (p *probe) send(form wire.Form) error {
	t, _ := p.u.transport(p.stream)
	m := p.call.Add()
	m.At, m.Form, m.Stream, m.Fresh = time.Now(), form, p.stream, true
	return t.Send(m)
}

// onTime does what is due. It is done when the upstream has answered, or failed.
func (p *probe) onTime() (done bool, err error) {
	switch {
	case time.Now().Before(p.next): // the tick is from before
		return false, nil
	case p.answered:
		return p.withoutEDNS()
	case !p.bare:
		return false, p.sendWithoutEDNS()
	}
	return true, transport.ErrNoReply
}

func (p *probe) sendWithoutEDNS() error {
	p.bare, p.next = true, p.end
	return p.send(wire.WithoutEDNS)
}

// withoutEDNS ends a probe that was answered without EDNS, and not with.
func (p *probe) withoutEDNS() (done bool, err error) {
	p.u.edns.remember(time.Now())
	return true, nil
}

// judge decides what an outcome is worth; see onTime.
func (p *probe) judge(o *transport.Outcome) (done bool, err error) {
	with := o.Message.Form != wire.WithoutEDNS
	switch err := failureOf(o); {
	case with && err == nil:
		p.u.edns.until.Store(0)
		return true, nil
	case with && !refusesEDNS(err), err != nil && !with:
		return true, err
	case with && p.answered, !with && p.refused:
		return p.withoutEDNS()
	case with:
		p.refused = true
	default:
		p.answered, p.next = true, time.Now().Add(ednsGrace)
	}
	if p.bare {
		return false, nil
	}
	return false, p.sendWithoutEDNS()
}

// failureOf returns why an outcome is no answer.
func failureOf(o *transport.Outcome) error {
	reply, err := o.Reply()
	if err != nil {
		return err
	}
	return rcodeFailure(reply)
}

// once asks as queries do, and waits.
func (p *probe) once(ctx context.Context) error {
	defer p.close()
	if err := p.send(wire.Usual); err != nil {
		return err
	}
	o, err := p.call.Wait(ctx, time.Until(p.end))
	switch {
	case err != nil:
		return err
	case o.Message == nil:
		return transport.ErrNoReply
	}
	return failureOf(&o)
}

// probeEDNS returns why the upstream doesn't answer to EDNS.
func (u *upstream) probeEDNS(ctx context.Context) error {
	for try := 1; ; try++ {
		p, err := u.newProbe(time.Now(), false)
		if err != nil {
			return err
		}
		if err = p.once(ctx); try == ednsTries || !errors.Is(err, transport.ErrNoReply) {
			return err
		}
	}
}

// probeStream returns why the upstream doesn't answer over a stream.
func (u *upstream) probeStream(ctx context.Context) error {
	p, err := u.newProbe(time.Now(), true)
	if err != nil {
		return err
	}
	return p.once(ctx)
}
