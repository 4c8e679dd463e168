package exchange

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"sync"
)

// waiting are the calls that a connection owes an outcome each, by the id that
// their message has there. It sends one to each call that is not removed first.
type waiting struct {
	datagrams bool
	dropped   func(Drop)

	mu    sync.Mutex
	calls map[uint16]place
	used  bool     // since it was looked at last
	err   error    // why no more are taken
	local net.Addr // goes with each outcome, where it isn't known before
}

// place is one of a call's sends.
type place struct {
	call *call
	send int
}

// Drop is why a reply was not taken.
type Drop uint8

const (
	// DropUnknown is a reply whose id nobody waits for: late, a duplicate, or forged.
	DropUnknown Drop = iota
	// DropQuestion is one to another question, or none at all.
	DropQuestion
	// DropShort is one shorter than a message's header.
	DropShort
	drops
)

var dropNames = [drops]string{"unknown_id", "other_question", "too_short"}

func (d Drop) String() string { return dropNames[d] }

func newWaiting(datagrams bool, dropped func(Drop)) waiting {
	return waiting{datagrams: datagrams, dropped: dropped, calls: make(map[uint16]place)}
}

// add puts a call on the list, under a random id that no other call has.
func (w *waiting) add(c *call, send int) (id uint16, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.put(c, send)
}

// put is add for who holds w.mu.
func (w *waiting) put(c *call, send int) (id uint16, err error) {
	if w.err != nil {
		return 0, w.err
	}
	id = uint16(rand.Uint32())
	for w.calls[id].call != nil {
		id = uint16(rand.Uint32())
	}
	w.calls[id] = place{c, send}
	w.used = true
	return id, nil
}

// remove takes a call off the list. It is false when that has been done: then an
// outcome has been sent, or is about to be.
func (w *waiting) remove(id uint16, c *call) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calls[id].call != c {
		return false
	}
	delete(w.calls, id)
	return true
}

// expects tells whether a call waits under id.
func (w *waiting) expects(id uint16) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.calls[id].call != nil
}

// deliver hands a reply to its call. It is false for one that nobody waits for
// or that doesn't answer the question: the call waits on, as it may be forged.
func (w *waiting) deliver(reply *[]byte) bool {
	w.mu.Lock()
	c, o, why := w.match(*reply)
	w.mu.Unlock()
	return w.hand(c, o, why, reply)
}

// match takes the call that a reply is for off the list, and gives its outcome, but
// for the reply. It is nil where there is none, for why. For who holds w.mu.
func (w *waiting) match(reply []byte) (c *call, o outcome, why Drop) {
	if len(reply) < headerLen {
		return nil, o, DropShort
	}
	id := binary.BigEndian.Uint16(reply)
	p, known := w.calls[id]
	switch {
	case !known:
		return nil, o, DropUnknown
	case !p.call.wire.answeredBy(reply, w.datagrams):
		return nil, o, DropQuestion
	}
	delete(w.calls, id)
	return p.call, outcome{send: p.send, local: w.local}, drops
}

// hand ends a delivery with what match gave.
func (w *waiting) hand(c *call, o outcome, why Drop, reply *[]byte) bool {
	if c == nil {
		w.dropped(why)
		return false
	}
	o.reply = reply
	c.done <- o
	return true
}

// close ends every call with err, and takes no more.
func (w *waiting) close(err error) {
	w.mu.Lock()
	w.refuse(err)
	ended, local := w.calls, w.local
	w.calls = nil
	w.mu.Unlock()
	for _, p := range ended {
		p.call.done <- outcome{send: p.send, err: err, local: local}
	}
}

// unused reports whether no call waits, and, for who asks that too, none came since it was
// asked last. Then no more are taken, for err: one that came before the connection is
// closed would end with it.
func (w *waiting) unused(sinceLast bool, err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	used := w.used && sinceLast
	if w.used = false; used || len(w.calls) > 0 {
		return false
	}
	w.refuse(err)
	return true
}

// refuse has no more calls taken; w.mu is held.
func (w *waiting) refuse(err error) {
	if w.err == nil {
		w.err = err
	}
}
