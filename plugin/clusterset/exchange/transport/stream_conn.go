package transport

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"time"
)

const (
	// HandshakeTimeout bounds the opening of a connection, with its TLS.
	HandshakeTimeout = 1500 * time.Millisecond
	// streamQueue bounds what waits to be written to a connection, in bytes: some
	// thousand queries, for a burst while it is being dialled. An upstream that lets
	// more pile up doesn't read.
	streamQueue = 256 << 10
)

// streamConn is one connection: dialled when it is made, and once more whenever it is cut
// short. Its messages keep their ids.
type streamConn struct {
	pending // its mu guards all below
	conn    net.Conn
	cancel  context.CancelFunc // ends a dial under way

	// queue are the frames that the writer takes next.
	queue  []byte
	wakeup sync.Cond // there is something in it, or closing is set
	// closing ends the writer.
	closing bool
	// mayRedial is set until a dial that no answer came of.
	mayRedial bool
	// silentSince is when the last message came, or, where nothing was in flight, when the
	// next was sent; zero when nothing is.
	silentSince time.Time
	usedAt      time.Time // as the keeper knows
	openedAt    time.Time // when it was dialled
	unasked     unasked
}

// newStreamConn makes a connection. It is there while run runs.
func newStreamConn(t *streams) (s *streamConn, run func()) {
	ctx, cancel := context.WithCancel(context.Background())
	now := time.Now()
	s = &streamConn{pending: newPending(false, t.dropped), cancel: cancel, mayRedial: true, usedAt: now, openedAt: now}
	s.wakeup.L = &s.mu
	return s, func() {
		defer cancel()
		for s.redial(t.serve(ctx, s)) {
		}
	}
}

// send puts the message on the list and into the queue. It reports whether the connection
// was open.
func (s *streamConn) send(m *Message) bool {
	s.mu.Lock()
	msg := m.Bytes()
	if s.err == nil && len(s.queue)+frameLen+len(msg) > streamQueue {
		s.mu.Unlock()
		s.end(ErrUnread)
		return false
	}
	defer s.mu.Unlock()
	if s.put(m) != nil {
		return false
	}
	m.Local = s.local
	if s.silentSince.IsZero() {
		s.silentSince = m.At
	}
	s.unasked.sent++
	s.enqueue(m)
	return true
}

// enqueue has the writer write a message; s.mu is held.
func (s *streamConn) enqueue(m *Message) {
	if len(s.queue) == 0 {
		s.wakeup.Signal()
	}
	msg := m.Bytes()
	s.queue = binary.BigEndian.AppendUint16(s.queue, uint16(len(msg)))
	s.queue = binary.BigEndian.AppendUint16(s.queue, m.id)
	s.queue = append(s.queue, msg[2:]...)
}

// serve dials, and reads and writes until the connection's end.
func (t *streams) serve(ctx context.Context, s *streamConn) error {
	conn, err := t.dial(ctx)
	if err != nil {
		return err
	}
	if !s.opened(conn) {
		_ = hangUp(conn)
		return ErrClosed
	}
	var writer sync.WaitGroup
	writer.Go(func() { s.write(conn) })
	err = s.read(conn)
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	s.wakeup.Signal()
	_ = hangUp(conn) // the writer may be in the middle of a write
	writer.Wait()
	return err
}

// dial opens a connection.
func (t *streams) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, HandshakeTimeout)
	defer cancel()
	if t.tls == nil {
		return new(net.Dialer).DialContext(ctx, "tcp", t.address.Addr.String())
	}
	return (&tls.Dialer{Config: t.tls}).DialContext(ctx, "tcp", t.address.Addr.String())
}

// opened sets the connection, and reports whether it wasn't ended meanwhile.
func (s *streamConn) opened(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return false
	}
	s.conn, s.local, s.openedAt = conn, conn.LocalAddr(), time.Now()
	s.closing = false
	if !s.silentSince.IsZero() { // it had to be dialled first
		s.silentSince = s.openedAt
	}
	return true
}

// redial reports whether to dial once more, after the connection has ended with err: where
// it was cut short, and the last dial brought an answer. Else its messages end with err.
func (s *streamConn) redial(err error) bool {
	s.mu.Lock()
	if s.err == nil && s.mayRedial && isCutShort(err) && len(s.messages) > 0 {
		s.queue = s.queue[:0]
		for _, m := range s.messages {
			s.enqueue(m)
		}
		s.mayRedial, s.unasked = false, unasked{sent: len(s.messages)}
		s.mu.Unlock()
		return true
	}
	s.refuse(Plain(err))
	s.mu.Unlock()
	s.end(Plain(err))
	return false
}

// end ends every message with err, and the connection.
func (s *streamConn) end(err error) {
	s.close(err)
	s.cancel()
	s.mu.Lock()
	conn := s.conn
	s.queue = nil
	s.mu.Unlock()
	switch {
	case conn == nil:
	case errors.Is(err, errIdle):
		_ = conn.Close() // tells the upstream (RFC 8446, section 6.1)
	default:
		_ = hangUp(conn)
	}
}

// hangUp closes a connection at once. TLS would wait for the upstream to read its
// goodbye.
func hangUp(conn net.Conn) error {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	return conn.Close()
}
