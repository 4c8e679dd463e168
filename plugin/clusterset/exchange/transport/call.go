package transport

import (
	"context"
	"net"
	"time"

	"github.com/miekg/dns"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
)

// MaxMessages is how many messages a call may have, to whichever upstreams.
const MaxMessages = 8

// Call is a query in flight: the messages sent for it, over any transports, and what became
// of each. The zero value is ready; Begin and End frame each use.
//
// A message has one outcome, once. While it is in flight, it is on the list of one
// connection. Either the connection takes it off, and then it sends one outcome; or the
// call does, and then none comes. So End knows how many outcomes are on their way, and
// waits for them: the call's next use can't meet one of this.
//
// A call belongs to one goroutine; the connections only read its messages, and send.
type Call struct {
	query    *wire.Query
	messages [MaxMessages]Message
	n        int
	// outcomes has room for one of each message, and a tick.
	outcomes chan Outcome
	timer    *time.Timer
	// ticking is set while a tick may come.
	ticking bool
}

// Message is one message of a call, to one upstream.
type Message struct {
	// Nth is its place among the call's.
	Nth int
	// At is when it is sent.
	At   time.Time
	Form wire.Form
	// Stream is set where nothing is lost on the way: all but UDP.
	Stream bool
	// Fresh wants another connection than those there were when the call began.
	Fresh bool
	// Local is the address that it left from, nil where that isn't known.
	Local net.Addr

	call *Call
	// on is the list of the connection that it is in flight on, under id.
	on *pending
	id uint16
}

// Outcome is what became of a message. One without a message is a tick: time has passed.
type Outcome struct {
	Message *Message
	reply   *[]byte
	err     error
	local   net.Addr // where it wasn't known before
}

// Begin begins a use of the call, for a query that isn't freed before End.
func (c *Call) Begin(q *wire.Query) {
	c.query = q
	if c.outcomes == nil {
		outcomes := make(chan Outcome, MaxMessages+1)
		c.outcomes = outcomes
		c.timer = time.AfterFunc(time.Hour, func() { outcomes <- Outcome{} })
		c.timer.Stop()
	}
}

// Add returns a new message, which is the caller's to fill in and have sent. There are no
// more than MaxMessages.
func (c *Call) Add() *Message {
	m := &c.messages[c.n] // which is clear
	m.Nth, m.call = c.n, c
	c.n++
	return m
}

// Len returns how many messages were added.
func (c *Call) Len() int { return c.n }

// Wait returns what comes first: an outcome, or a tick after d; one that was due before may
// come sooner. The error is the context's.
func (c *Call) Wait(ctx context.Context, d time.Duration) (Outcome, error) {
	if !c.ticking || c.timer.Stop() {
		c.ticking = true
		c.timer.Reset(d)
	}
	var o Outcome
	if canceled := ctx.Done(); canceled == nil { // CoreDNS's own contexts have no end
		o = <-c.outcomes
	} else {
		select {
		case o = <-c.outcomes:
		case <-canceled:
			return o, Plain(ctx.Err())
		}
	}
	m := o.Message
	if m == nil {
		c.ticking = false
		return o, nil
	}
	m.on = nil
	if o.local != nil {
		m.Local = o.local
	}
	return o, nil
}

// End ends the use of the call, whatever is in flight.
func (c *Call) End() {
	coming := 0
	if c.ticking && !c.timer.Stop() {
		coming++
	}
	for i := range c.messages[:c.n] {
		if m := &c.messages[i]; m.on != nil && !m.on.remove(m) {
			coming++
		}
	}
	for range coming {
		o := <-c.outcomes
		o.free()
	}
	clear(c.messages[:c.n])
	c.query, c.n, c.ticking = nil, 0, false
}

// InFlight reports whether the message was sent and has no outcome.
func (m *Message) InFlight() bool { return m.on != nil }

// Bytes returns what is sent, but for the id.
func (m *Message) Bytes() []byte { return m.call.query.As(m.Form) }

// since returns the time after which the connection is to have been opened, zero for any:
// one that was there when the call began may lead nowhere any more, without a word.
func (m *Message) since() time.Time {
	if m.Fresh {
		return m.call.messages[0].At
	}
	return time.Time{}
}

// send sends the message's outcome. The message is on no list any more.
func (m *Message) send(o Outcome) {
	o.Message = m
	m.call.outcomes <- o
}

// Reply returns the reply, or why there is none, once.
func (o *Outcome) Reply() (*dns.Msg, error) {
	if o.reply == nil {
		return nil, o.err
	}
	reply, err := o.Message.call.query.Parse(*o.reply, !o.Message.Stream)
	o.free()
	return reply, err
}

func (o *Outcome) free() {
	if o.reply != nil && cap(*o.reply) == bufferSize {
		buffers.Put(o.reply)
	}
	o.reply = nil
}
