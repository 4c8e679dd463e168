package exchange

import (
	"context"
	"errors"
	"time"

	"github.com/miekg/dns"
)

const (
	// pingTimeout is for a datagram; a handshake takes three round trips more.
	pingTimeout, handshakeTimeout = time.Second, 1500 * time.Millisecond
	// ednsPatience is how long a probe waits for a reply before it is sent without EDNS
	// too, and ednsGrace how long the reply with it may come after the one without: an
	// upstream that drops EDNS is known while the query that met it has time left.
	ednsPatience, ednsGrace = 200 * time.Millisecond, 100 * time.Millisecond
	// ednsTries are how many in a row an upstream must let pass to be one that drops EDNS.
	ednsTries = 3
)

// ping is one probe: a question for the SOA of the member's domain, cheap for the member,
// never passed on by it, and only a server of that domain says more than REFUSED. It
// carries what queries carry, for an upstream that answers nothing else is of no use.
type ping struct {
	u      *upstream
	call   *call
	stream bool
	// next is when something is to be done, end when its time is over.
	next, end time.Time
	// bare is set when it was sent without EDNS too, answered when that was answered, and
	// refused when it was refused with.
	bare, answered, refused bool
}

func (u *upstream) newPing(now time.Time, stream bool) (*ping, error) {
	w, err := newWire(&Query{Name: u.client.member.ClusterDomain, Type: dns.TypeSOA, RecursionDesired: true, EDNS: u.client.options.Probe})
	if err != nil {
		return nil, err
	}
	p := &ping{u: u, call: newCall(w)}
	_, p.stream = u.over(stream)
	p.end = now.Add(pingTimeout)
	if p.stream {
		p.end = now.Add(handshakeTimeout)
	}
	return p, nil
}

func (p *ping) close() {
	w := p.call.wire
	p.call.end()
	w.free()
}

// ping reports why the upstream doesn't answer, nil where it does, and takes in whether
// it takes EDNS.
func (u *upstream) ping(ctx context.Context) error {
	now := time.Now()
	p, err := u.newPing(now, false)
	if err != nil {
		return err
	}
	defer p.close()
	p.next = now.Add(ednsPatience)
	if u.lacks(&u.edns, now) {
		p.next = now
	}
	if err := p.send(usual); err != nil {
		return err
	}
	for {
		o, err := p.call.wait(ctx, time.Until(p.next))
		if err != nil {
			return err
		}
		done := false
		if o.send == tick {
			done, err = p.late()
		} else {
			done, err = p.take(&o)
		}
		if done || err != nil {
			return err
		}
	}
}

func (p *ping) send(f form) error {
	n := p.call.sent
	p.call.sent++
	p.call.sends[n] = send{to: p.u, at: time.Now(), stream: p.stream, form: f}
	t, _ := p.u.over(p.stream)
	err := t.send(p.call, n, true)
	if err != nil {
		p.call.sends[n].ended = true
	}
	return err
}

// late does what is due. It is done when the upstream has answered, or failed.
func (p *ping) late() (done bool, err error) {
	switch {
	case time.Now().Before(p.next): // the tick is from before
		return false, nil
	case p.answered:
		return p.lacking()
	case !p.bare:
		return false, p.without()
	}
	return true, errNoReply
}

// without asks without EDNS.
func (p *ping) without() error {
	p.bare, p.next = true, p.end
	return p.send(bare)
}

// lacking ends a probe that was answered without EDNS, and not with.
func (p *ping) lacking() (done bool, err error) {
	p.u.found(&p.u.edns, time.Now())
	return true, nil
}

// take takes in an outcome, as late does.
func (p *ping) take(o *outcome) (done bool, err error) {
	with := p.call.sends[o.send].form != bare
	switch err := p.ended(o); {
	case with && err == nil:
		p.u.edns.until.Store(0)
		return true, nil
	case with && !refusesEDNS(err), err != nil && !with:
		return true, err
	case with && p.answered, !with && p.refused:
		return p.lacking()
	case with:
		p.refused = true
	default:
		p.answered, p.next = true, time.Now().Add(ednsGrace)
	}
	if p.bare {
		return false, nil
	}
	return false, p.without()
}

// ended takes in that a send has ended, and why it brought no answer.
func (p *ping) ended(o *outcome) error {
	p.call.sends[o.send].ended = true
	reply, err := p.call.outcome(o)
	if err != nil {
		return err
	}
	return rcodeFailure(reply)
}

// once asks as queries do, and waits.
func (p *ping) once(ctx context.Context) error {
	defer p.close()
	if err := p.send(usual); err != nil {
		return err
	}
	o, err := p.call.wait(ctx, time.Until(p.end))
	switch {
	case err != nil:
		return err
	case o.send == tick:
		return errNoReply
	}
	return p.ended(&o)
}

// takesEDNS tests whether the upstream answers to EDNS.
func (u *upstream) takesEDNS(ctx context.Context) error {
	for try := 1; ; try++ {
		p, err := u.newPing(time.Now(), false)
		if err != nil {
			return err
		}
		if err = p.once(ctx); try == ednsTries || !errors.Is(err, errNoReply) {
			return err
		}
	}
}

// hasStream tests whether the upstream answers over a stream.
func (u *upstream) hasStream(ctx context.Context) error {
	p, err := u.newPing(time.Now(), true)
	if err != nil {
		return err
	}
	return p.once(ctx)
}
