package exchange

import (
	"net"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// maxSends is how often a query's message is sent at the most, to whichever
// upstreams.
const maxSends = 8

// call is one query on its way, on each connection that its message was sent
// over. It is reused, so nothing may be left in its channel when it ends.
type call struct {
	wire  *wire
	timer *time.Timer
	// done gets one outcome for each send that isn't taken back.
	done  chan outcome
	sends [maxSends]send
	sent  int
}

// What a message goes over.
const overUDP, overTCP = "udp", "tcp"

// send is one message to one upstream.
type send struct {
	to    *upstream
	at    time.Time
	proto string // as Attempt's
	why   reason
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
	// whole: the reply was truncated, and is asked for over a stream.
	whole
)

// outcome is what became of a send: a reply, as bytes or parsed, or why there is
// none.
type outcome struct {
	send  int
	reply *[]byte
	msg   *dns.Msg
	err   error
	local net.Addr // where it wasn't known before
}

var (
	buffers = sync.Pool{New: func() any { b := make([]byte, MaxSize); return &b }}
	calls   = sync.Pool{New: func() any {
		t := time.NewTimer(time.Hour)
		t.Stop()
		return &call{done: make(chan outcome, maxSends), timer: t}
	}}
)

func newCall(w *wire) *call {
	c := calls.Get().(*call)
	c.wire, c.sent = w, 0
	return c
}

// end takes the call back. A connection that has just taken it off its list has an
// outcome on the way, which is thrown away here: the call's next user must not get
// it.
func (c *call) end() {
	c.timer.Stop()
	coming := 0
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
	c.wire = nil
	clear(c.sends[:c.sent])
	calls.Put(c)
}

func (o *outcome) free() {
	if o.reply != nil && cap(*o.reply) == MaxSize {
		buffers.Put(o.reply)
	}
	o.reply = nil
}

// message parses the reply to w.
func (o *outcome) message(w *wire) (*dns.Msg, error) {
	if o.reply == nil {
		return o.msg, o.err
	}
	defer o.free()
	return w.parse(*o.reply)
}
