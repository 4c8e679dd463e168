package exchange

import (
	"sync"
	"time"

	"github.com/miekg/dns"
)

// maxSends is how often a query's packet is sent at the most.
const maxSends = 4

// call is one query over UDP, on each socket that its packet was sent from. It
// is reused, so nothing may be left in its channel when it ends.
type call struct {
	wire  *wire
	timer *time.Timer
	// done gets one outcome for each socket that takes the call off its list.
	done chan outcome
	// sends are the sockets that it was put on, and the id it has there.
	sends          [maxSends]send
	sent, received int
}

type send struct {
	socket *udpSocket
	id     uint16
}

// outcome is a reply, or why there is none.
type outcome struct {
	reply *[]byte
	err   error
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
	c.wire, c.sent, c.received = w, 0, 0
	return c
}

// end takes the call off its sockets. A socket that has just taken it off itself
// has an outcome on the way, which is thrown away here: the call's next user must
// not get it.
func (c *call) end() {
	c.timer.Stop()
	outcomes := 0
	for _, s := range c.sends[:c.sent] {
		if !s.socket.remove(s.id, c) {
			outcomes++
		}
	}
	for ; c.received < outcomes; c.received++ {
		if o := <-c.done; o.reply != nil {
			buffers.Put(o.reply)
		}
	}
	c.wire = nil
	clear(c.sends[:])
	calls.Put(c)
}

// message parses the reply to w.
func (o outcome) message(w *wire) (*dns.Msg, error) {
	if o.err != nil {
		return nil, o.err
	}
	defer buffers.Put(o.reply)
	return w.parse(*o.reply)
}
