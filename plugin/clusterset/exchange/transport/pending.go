package transport

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"sync"

	"github.com/coredns-clusterset/clusterset/plugin/clusterset/exchange/wire"
)

// pending are the messages that are in flight on a connection, by their id there. Who takes
// one off the list decides its outcome: see Call.
type pending struct {
	datagrams bool
	dropped   func(Drop)

	mu       sync.Mutex
	messages map[uint16]*Message
	used     bool     // since unused was called last
	err      error    // why no more are taken
	local    net.Addr // goes with each outcome, where it isn't known before
}

func newPending(datagrams bool, dropped func(Drop)) pending {
	return pending{datagrams: datagrams, dropped: dropped, messages: make(map[uint16]*Message)}
}

// add puts a message on the list, under a random id that no other one has.
func (p *pending) add(m *Message) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.put(m)
}

// put is add; p.mu is held.
func (p *pending) put(m *Message) error {
	if p.err != nil {
		return p.err
	}
	id := uint16(rand.Uint32())
	for p.messages[id] != nil {
		id = uint16(rand.Uint32())
	}
	p.messages[id] = m
	p.used = true
	m.on, m.id = p, id
	return nil
}

// remove has the call take a message back. It reports whether that was on the list: if
// not, its outcome has been sent, or is about to be.
func (p *pending) remove(m *Message) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.messages[m.id] != m {
		return false
	}
	delete(p.messages, m.id)
	m.on = nil
	return true
}

// expects reports whether a message has that id.
func (p *pending) expects(id uint16) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.messages[id] != nil
}

// deliver sends a reply to its call, and reports whether it did. One that no message has
// the id of, or that doesn't answer the question, is dropped: the message stays on the
// list, as that reply may be forged.
func (p *pending) deliver(reply *[]byte) bool {
	p.mu.Lock()
	m, o, why := p.match(*reply)
	p.mu.Unlock()
	return p.hand(m, o, why, reply)
}

// match takes the message that a reply is for off the list, and returns it with its outcome,
// which lacks the reply; without a message, why there is none. p.mu is held.
func (p *pending) match(reply []byte) (m *Message, o Outcome, why Drop) {
	if len(reply) < wire.HeaderLen {
		return nil, o, DropShort
	}
	id := binary.BigEndian.Uint16(reply)
	m = p.messages[id]
	switch {
	case m == nil:
		return nil, o, DropUnknown
	case !m.call.query.AnsweredBy(reply, p.datagrams):
		return nil, o, DropQuestion
	}
	delete(p.messages, id)
	return m, Outcome{local: p.local}, Drops
}

// hand ends a delivery with what match returned; p.mu is not held.
func (p *pending) hand(m *Message, o Outcome, why Drop, reply *[]byte) bool {
	if m == nil {
		p.dropped(why)
		return false
	}
	o.reply = reply
	m.send(o)
	return true
}

// close ends every message with err, and takes no more.
func (p *pending) close(err error) {
	p.mu.Lock()
	p.refuse(err)
	ended, local := p.messages, p.local
	p.messages = nil
	p.mu.Unlock()
	for _, m := range ended {
		m.send(Outcome{err: err, local: local})
	}
}

// len returns how many are in flight.
func (p *pending) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.messages)
}

// unused reports whether nothing is in flight, and, with sinceLast, nothing was since the
// last call. Then no more are taken, for err: a message added before the connection is
// closed would end with it, and not have been sent.
func (p *pending) unused(sinceLast bool, err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	used := p.used && sinceLast
	if p.used = false; used || len(p.messages) > 0 {
		return false
	}
	p.refuse(err)
	return true
}

// refuse has no more messages taken; p.mu is held.
func (p *pending) refuse(err error) {
	if p.err == nil {
		p.err = err
	}
}
