package exchange

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// maxSends is how often a query's message is sent at the most, to whichever
// upstreams.
const maxSends = 8

const bufferSize = MaxSize + 1

// call is one query on its way, on each connection that its message was sent
// over. It is reused, so nothing may be left in its channel when it ends.
type call struct {
	wire *wire
	// done gets one outcome for each send that isn't taken back, and a tick when the
	// timer ends.
	done  chan outcome
	sends [maxSends]send
	sent  int
	timer *time.Timer
	// ticks is set while a tick is owed.
	ticks bool
	// race is the query's: on the stack, it would be the most of what there is.
	race race
}

// send is one message to one upstream.
type send struct {
	to     *upstream
	at     time.Time
	stream bool // over TCP, TLS, HTTPS or QUIC, where nothing is lost
	form   form
	why    reason
	// conn owes an outcome under id; nil where sending failed.
	conn  *waiting
	id    uint16
	local net.Addr
	// ended is set when there is an outcome.
	ended bool
}

// reason is why a message is sent.
type reason uint8

const (
	// first: it is the query's first.
	first reason = iota
	// instead: the last upstream failed.
	instead
	// again: patience with the last upstream is over.
	again
	// hedge: the last upstream takes longer than usual.
	hedge
	// whole: the reply was truncated, and is asked for over a stream, or with MaxSize.
	whole
	// other: the upstream doesn't take the query's EDNS, it says.
	other
)

// outcome is what became of a send: a reply, or why there is none. Or it is a tick, and
// nothing else.
type outcome struct {
	send  int
	reply *[]byte
	err   error
	local net.Addr // where it wasn't known before
}

// tick is the send of an outcome that isn't one's.
const tick = -1

var (
	// buffers are one byte longer than what is read: then the reply was, too.
	buffers = sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}
	calls   = sync.Pool{New: func() any {
		done := make(chan outcome, maxSends+1)
		timer := time.AfterFunc(time.Hour, func() { done <- outcome{send: tick} })
		timer.Stop()
		return &call{done: done, timer: timer}
	}}
)

func newCall(w *wire) *call {
	c := calls.Get().(*call)
	c.wire, c.sent = w, 0
	return c
}

// wait waits for what comes first: an outcome, or a tick after d; one that was
// owed from before may come sooner. An error is the context's.
func (c *call) wait(ctx context.Context, d time.Duration) (outcome, error) {
	if !c.ticks || c.timer.Stop() {
		c.ticks = true
		c.timer.Reset(d)
	}
	var o outcome
	if canceled := ctx.Done(); canceled == nil { // CoreDNS's own contexts have no end
		o = <-c.done
	} else {
		select {
		case o = <-c.done:
		case <-canceled:
			return o, plain(ctx.Err())
		}
	}
	if o.send == tick {
		c.ticks = false
	}
	return o, nil
}

// message is the nth send's.
func (c *call) message(n int) []byte { return c.wire.as(c.sends[n].form) }

// outcome parses the reply of a send that has ended with o.
func (c *call) outcome(o *outcome) (*dns.Msg, error) {
	if o.reply == nil {
		return nil, o.err
	}
	reply, err := c.wire.parse(*o.reply, !c.sends[o.send].stream)
	o.free()
	return reply, err
}

// end takes the call back. A connection that has just taken it off its list has an
// outcome on the way, which is thrown away here: the call's next user must not get
// it.
func (c *call) end() {
	coming := 0
	if c.ticks && !c.timer.Stop() {
		coming++
	}
	for i := range c.sends[:c.sent] {
		s := &c.sends[i]
		if !s.ended && !s.conn.remove(s.id, c) {
			coming++
		}
	}
	for range coming {
		o := <-c.done
		o.free()
	}
	c.wire, c.ticks = nil, false
	clear(c.sends[:c.sent])
	c.race = race{}
	calls.Put(c)
}

func (o *outcome) free() {
	if o.reply != nil && cap(*o.reply) == bufferSize {
		buffers.Put(o.reply)
	}
	o.reply = nil
}
