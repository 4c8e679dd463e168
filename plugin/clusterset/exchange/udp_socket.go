package exchange

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"time"
)

// udpSocket is one connected socket: its reader hands each reply to the call
// that waits for it.
type udpSocket struct {
	conn    *net.UDPConn
	local   net.Addr
	born    time.Time
	dropped func()

	mu    sync.Mutex
	calls map[uint16]*call
	used  bool  // since the reader looked last
	err   error // why it is closed
	// retired is set when another socket has taken its place.
	retired bool
}

// retiredLook is how often a retired socket is looked at.
const retiredLook = time.Second

func newUDPSocket(conn *net.UDPConn, dropped func()) *udpSocket {
	return &udpSocket{conn: conn, local: conn.LocalAddr(), born: time.Now(), dropped: dropped, calls: make(map[uint16]*call)}
}

// usable tells whether the socket is open and now younger than age.
func (s *udpSocket) usable(now time.Time, age time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err == nil && now.Sub(s.born) < age
}

// retire has the socket closed as soon as nothing is in flight on it.
func (s *udpSocket) retire() {
	s.mu.Lock()
	s.used, s.retired = false, true
	empty := len(s.calls) == 0
	s.mu.Unlock()
	if empty {
		s.close(errClosed)
		return
	}
	_ = s.conn.SetReadDeadline(time.Now().Add(retiredLook)) // closed meanwhile
}

// send puts the call on the socket's list, under a random id that no other call
// has, and writes its packet.
func (s *udpSocket) send(c *call) error {
	s.mu.Lock()
	if s.err != nil {
		s.mu.Unlock()
		return s.err
	}
	id := uint16(rand.Uint32())
	for s.calls[id] != nil {
		id = uint16(rand.Uint32())
	}
	s.calls[id] = c
	s.used = true
	s.mu.Unlock()
	c.wire.setID(id)
	if _, err := s.conn.Write(c.wire.msg); err != nil && s.remove(id, c) {
		return err
	}
	c.sends[c.sent] = send{s, id}
	c.sent++
	return nil
}

// remove takes a call off the list. It is false when the socket has done so
// itself: then it sends the call an outcome.
func (s *udpSocket) remove(id uint16, c *call) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls[id] != c {
		return false
	}
	delete(s.calls, id)
	return true
}

// read is the socket's reader. It ends with the socket: when that is closed, has
// an error (the kernel's word that the upstream can't be reached), or was not
// used for udpIdle.
func (s *udpSocket) read() {
	buf := buffers.Get().(*[]byte)
	defer func() { buffers.Put(buf) }()
	_ = s.conn.SetReadDeadline(time.Now().Add(udpIdle)) // fails when closed; so does Read
	for {
		n, err := s.conn.Read((*buf)[:MaxSize])
		if err == nil {
			*buf = (*buf)[:n]
			if s.deliver(buf) {
				buf = buffers.Get().(*[]byte)
			}
			continue
		}
		next, idle := s.look()
		if !errors.Is(err, os.ErrDeadlineExceeded) || idle {
			s.close(plain(err))
			return
		}
		_ = s.conn.SetReadDeadline(time.Now().Add(next))
	}
}

// deliver hands a reply to its call. It is false for one that nobody waits for
// or that doesn't answer the question: the call waits on, as it may be forged.
func (s *udpSocket) deliver(buf *[]byte) bool {
	if len(*buf) < headerLen {
		s.dropped()
		return false
	}
	id := binary.BigEndian.Uint16(*buf)
	s.mu.Lock()
	c, waiting := s.calls[id]
	if !waiting || !c.wire.answeredBy(*buf) {
		s.mu.Unlock()
		s.dropped()
		return false
	}
	delete(s.calls, id)
	s.mu.Unlock()
	c.done <- outcome{reply: buf}
	return true
}

// look tells whether nothing was asked on the socket since the last look, and
// when to look next.
func (s *udpSocket) look() (next time.Duration, idle bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	idle = !s.used && len(s.calls) == 0
	s.used = false
	if s.retired {
		return retiredLook, idle
	}
	return udpIdle, idle
}

// close ends the socket, and every call on it with err.
func (s *udpSocket) close(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	ended := s.calls
	s.calls = nil
	s.mu.Unlock()
	_ = s.conn.Close() // closed before
	for _, c := range ended {
		c.done <- outcome{err: err}
	}
}
