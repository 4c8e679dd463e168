package transport

import (
	"encoding/binary"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// udpSocket is one connected socket, with a reader.
type udpSocket struct {
	pending
	conn     *net.UDPConn
	openedAt time.Time
	// retired is set when another socket has taken its place.
	retired atomic.Bool
}

// retiredLook is how often a retired socket is checked for queries in flight.
const retiredLook = time.Second

func newUDPSocket(conn *net.UDPConn, dropped func(Drop)) *udpSocket {
	s := &udpSocket{pending: newPending(true, dropped), conn: conn, openedAt: time.Now()}
	s.local = conn.LocalAddr()
	return s
}

// usable reports whether the socket is open and now younger than age.
func (s *udpSocket) usable(now time.Time, age time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err == nil && now.Sub(s.openedAt) < age
}

// retire closes the socket as soon as nothing is in flight on it.
func (s *udpSocket) retire() {
	s.retired.Store(true)
	if s.unused(false, ErrClosed) {
		s.end(ErrClosed)
		return
	}
	_ = s.conn.SetReadDeadline(time.Now().Add(retiredLook)) // closed meanwhile
}

// send puts the message on the list and writes its packet.
func (s *udpSocket) send(m *Message) error {
	if err := s.add(m); err != nil {
		return err
	}
	msg := m.Bytes()
	binary.BigEndian.PutUint16(msg, m.id)
	if _, err := s.conn.Write(msg); err != nil && s.remove(m) {
		return err
	}
	m.Local = s.local
	return nil
}

// read is the socket's reader. It ends with the socket: when that is closed, has
// an error (the kernel's word that the upstream can't be reached), or was not
// used for udpIdle.
func (s *udpSocket) read() {
	buf := buffers.Get().(*[]byte)
	defer func() { buffers.Put(buf) }()
	_ = s.conn.SetReadDeadline(time.Now().Add(udpIdle)) // fails when closed; so does Read
	for {
		n, err := s.conn.Read((*buf)[:bufferSize])
		if err == nil {
			*buf = (*buf)[:n]
			if s.deliver(buf) {
				buf = buffers.Get().(*[]byte)
			}
			continue
		}
		if err = Plain(err); !errors.Is(err, ErrNoReply) || s.unused(true, err) {
			s.end(err)
			return
		}
		next := udpIdle
		if s.retired.Load() {
			next = retiredLook
		}
		_ = s.conn.SetReadDeadline(time.Now().Add(next))
	}
}

// end closes the socket, and ends every message on it with err.
func (s *udpSocket) end(err error) {
	s.close(err)
	_ = s.conn.Close() // closed before
}
