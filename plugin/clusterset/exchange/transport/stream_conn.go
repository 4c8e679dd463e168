package exchange

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"time"
)

// streamQueue bounds what waits to be written to a connection, in bytes: some
// thousand queries, for a burst while it is being dialled. An upstream that lets
// more pile up doesn't read.
const streamQueue = 256 << 10

// maxUnasked is how many replies may come that none is owed for, before an answer: an
// upstream that sends them without end would be read without end.
const maxUnasked = 8

var (
	errUnread  = errors.New("doesn't read its queries")
	errUnasked = errors.New("replies that nobody asked for")
)

// streamConn is one connection: dialled when it is made, and once more whenever the
// upstream closes it before it has answered all. Its calls keep their ids.
type streamConn struct {
	waiting // its mu guards all below
	conn    net.Conn
	cancel  context.CancelFunc // ends a dial under way

	// queue are the frames that the writer takes next.
	queue []byte
	more  sync.Cond // there is something in it, or mute is set
	mute  bool      // the writer is to end
	// spare is set while it may be dialled once more: nothing was dialled in vain since
	// the last answer.
	spare bool
	// silentSince is when the last message came, or, where none is missing, when
	// the next was asked for; zero when nobody asked.
	silentSince time.Time
	usedAt      time.Time // as the keeper knows
	born        time.Time // when it was dialled
	// owed are the messages sent that nothing has come for; unasked are the replies
	// since the last answer that none was owed for.
	owed, unasked int
}

// newStreamConn makes a connection. It is there while run runs.
func newStreamConn(t *streamTransport) (s *streamConn, run func()) {
	ctx, cancel := context.WithCancel(context.Background())
	now := time.Now()
	s = &streamConn{waiting: newWaiting(false, t.dropped), cancel: cancel, spare: true, usedAt: now, born: now}
	s.more.L = &s.mu
	return s, func() {
		defer cancel()
		for s.again(t.serve(ctx, s)) {
		}
	}
}

// send puts the call on the list and its message into the queue. It is false when
// the connection is closed.
func (s *streamConn) send(c *call, n int) bool {
	s.mu.Lock()
	msg := c.message(n)
	if s.err == nil && len(s.queue)+frameLen+len(msg) > streamQueue {
		s.mu.Unlock()
		s.end(errUnread)
		return false
	}
	defer s.mu.Unlock()
	id, err := s.put(c, n)
	if err != nil {
		return false
	}
	to := &c.sends[n]
	to.conn, to.id, to.local = &s.waiting, id, s.local
	if s.silentSince.IsZero() {
		s.silentSince = to.at
	}
	s.owed++
	s.enqueue(id, msg)
	return true
}

// enqueue has the writer write a message; s.mu is held.
func (s *streamConn) enqueue(id uint16, msg []byte) {
	if len(s.queue) == 0 {
		s.more.Signal()
	}
	s.queue = binary.BigEndian.AppendUint16(s.queue, uint16(len(msg)))
	s.queue = binary.BigEndian.AppendUint16(s.queue, id)
	s.queue = append(s.queue, msg[2:]...)
}

// serve dials, and reads and writes until the connection's end.
func (t *streamTransport) serve(ctx context.Context, s *streamConn) error {
	conn, err := t.dial(ctx)
	if err != nil {
		return err
	}
	if !s.opened(conn) {
		_ = hangUp(conn)
		return errClosed
	}
	var writer sync.WaitGroup
	writer.Go(func() { s.write(conn) })
	err = s.read(conn)
	s.mu.Lock()
	s.mute = true
	s.mu.Unlock()
	s.more.Signal()
	_ = hangUp(conn) // the writer may be in the middle of a write
	writer.Wait()
	return err
}

// dial opens a connection. The handshake is within its time.
func (t *streamTransport) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	if t.tls == nil {
		return new(net.Dialer).DialContext(ctx, "tcp", t.address.Addr.String())
	}
	return (&tls.Dialer{Config: t.tls}).DialContext(ctx, "tcp", t.address.Addr.String())
}

// opened takes the connection, unless it has been ended meanwhile.
func (s *streamConn) opened(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return false
	}
	s.conn, s.local, s.born = conn, conn.LocalAddr(), time.Now()
	s.mute = false
	if !s.silentSince.IsZero() { // it had to be dialled first
		s.silentSince = s.born
	}
	return true
}

// again tells whether to dial once more, after the connection has ended with err. An
// upstream that closes one has been started again, or found it idle, or answers only so
// many queries on one, or is one of several behind an address: RFC 7766, section 6.2.1,
// has what was not answered asked again. So it is when we close one that brings replies
// nobody asked for. Where the next one is closed before it brings an answer too, the calls
// end with err.
func (s *streamConn) again(err error) bool {
	s.mu.Lock()
	if s.err == nil && s.spare && isCutShort(err) && len(s.calls) > 0 {
		s.queue = s.queue[:0]
		for id, p := range s.calls {
			s.enqueue(id, p.call.message(p.send))
		}
		s.spare, s.owed, s.unasked = false, len(s.calls), 0
		s.mu.Unlock()
		return true
	}
	s.refuse(plain(err))
	s.mu.Unlock()
	s.end(plain(err))
	return false
}

// end ends every call with err, and the connection.
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

// hangUp closes a connection at once. That of TLS would wait for the upstream to
// take its goodbye.
func hangUp(conn net.Conn) error {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	return conn.Close()
}
