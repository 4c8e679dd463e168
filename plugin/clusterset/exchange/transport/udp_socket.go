package exchange

import (
	"encoding/binary"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// udpSocket is one connected socket: its reader hands each reply to the call
// that waits for it.
type udpSocket struct {
	waiting
	conn  *net.UDPConn
	local net.Addr
	born  time.Time
	// retired is set when another socket has taken its place.
	retired atomic.Bool
}

// retiredLook is how often a retired socket is looked at.
const retiredLook = time.Second

func newUDPSocket(conn *net.UDPConn, dropped func(Drop)) *udpSocket {
	return &udpSocket{waiting: newWaiting(true, dropped), conn: conn, local: conn.LocalAddr(), born: time.Now()}
}

// usable tells whether the socket is open and now younger than age.
func (s *udpSocket) usable(now time.Time, age time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err == nil && now.Sub(s.born) < age
}

// retire has the socket closed as soon as nothing is in flight on it.
func (s *udpSocket) retire() {
	s.retired.Store(true)
	if s.unused(false, errClosed) {
		s.end(errClosed)
		return
	}
	_ = s.conn.SetReadDeadline(time.Now().Add(retiredLook)) // closed meanwhile
}

// send puts the call on the list and writes its packet.
func (s *udpSocket) send(c *call, n int) error {
	id, err := s.add(c, n)
	if err != nil {
		return err
	}
	msg := c.message(n)
	binary.BigEndian.PutUint16(msg, id)
	if _, err := s.conn.Write(msg); err != nil && s.remove(id, c) {
		return err
	}
	to := &c.sends[n]
	to.conn, to.id, to.local = &s.waiting, id, s.local
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
		if err = plain(err); !errors.Is(err, errNoReply) || s.unused(true, err) {
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

// end closes the socket, and ends every call on it with err.
func (s *udpSocket) end(err error) {
	s.close(err)
	_ = s.conn.Close() // closed before
}
