package exchange

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
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
	used  bool // since the reader looked last
	err   error
}

// call is one query on a socket. It is reused, so nothing may be left in its
// channel when it ends.
type call struct {
	id    uint16
	wire  *wire
	done  chan outcome // of one
	timer *time.Timer
}

type outcome struct {
	reply *[]byte
	err   error
}

var (
	buffers = sync.Pool{New: func() any { b := make([]byte, MaxSize); return &b }}
	calls   = sync.Pool{New: func() any {
		t := time.NewTimer(time.Hour)
		t.Stop()
		return &call{done: make(chan outcome, 1), timer: t}
	}}
)

func newUDPSocket(conn *net.UDPConn, dropped func()) *udpSocket {
	return &udpSocket{conn: conn, local: conn.LocalAddr(), born: time.Now(), dropped: dropped, calls: make(map[uint16]*call)}
}

func (s *udpSocket) usable() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err == nil && time.Since(s.born) < udpMaxAge
}

// begin registers a call under a random id that no other call has.
func (s *udpSocket) begin(w *wire) (*call, error) {
	c := calls.Get().(*call)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	for {
		c.id = uint16(rand.Uint32())
		if _, taken := s.calls[c.id]; !taken {
			break
		}
	}
	w.setID(c.id)
	c.wire = w
	s.calls[c.id] = c
	s.used = true
	return c, nil
}

// send writes the packet. The kernel reports an earlier packet's ICMP error on
// the next write, which then sends nothing: once more.
func (s *udpSocket) send(w *wire) error {
	_, err := s.conn.Write(w.msg)
	if errors.Is(err, syscall.ECONNREFUSED) {
		_, err = s.conn.Write(w.msg)
	}
	return err
}

// await waits for the call's reply, and sends the packet again while it doesn't
// come: a lost packet costs resendAfter, not the query.
func (s *udpSocket) await(ctx context.Context, c *call, deadline time.Time, suspect func()) (*[]byte, error) {
	c.timer.Reset(min(time.Until(deadline), resendAfter))
	for {
		select {
		case o := <-c.done:
			s.recycle(c)
			return o.reply, o.err
		case <-ctx.Done():
			s.end(c)
			return nil, context.Cause(ctx)
		case <-c.timer.C:
			left := time.Until(deadline)
			if left <= 0 {
				s.end(c)
				return nil, errNoReply
			}
			suspect()
			if err := s.send(c.wire); err != nil {
				s.end(c)
				return nil, plain(err)
			}
			c.timer.Reset(min(left, resendAfter))
		}
	}
}

// end takes a call back. When the reader has just taken it, its outcome is on
// the way: it is thrown away here, so that the next user of the call doesn't
// get it.
func (s *udpSocket) end(c *call) {
	s.mu.Lock()
	mine := s.calls[c.id] == c
	if mine {
		delete(s.calls, c.id)
	}
	s.mu.Unlock()
	if !mine {
		if o := <-c.done; o.reply != nil {
			buffers.Put(o.reply)
		}
	}
	s.recycle(c)
}

func (s *udpSocket) recycle(c *call) {
	c.timer.Stop()
	c.wire = nil
	calls.Put(c)
}

// read is the socket's reader. It ends with the socket: when it is closed, or
// was not used for udpIdle.
func (s *udpSocket) read() {
	defer s.conn.Close()
	s.conn.SetReadDeadline(time.Now().Add(udpIdle))
	buf := buffers.Get().(*[]byte)
	defer func() { buffers.Put(buf) }()
	for {
		n, err := s.conn.Read((*buf)[:MaxSize])
		switch {
		case err == nil:
			*buf = (*buf)[:n]
			if s.deliver(buf) {
				buf = buffers.Get().(*[]byte)
			}
		case errors.Is(err, os.ErrDeadlineExceeded):
			if s.retire() {
				return
			}
			s.conn.SetReadDeadline(time.Now().Add(udpIdle))
		case errors.Is(err, syscall.ECONNREFUSED):
			s.fail(errRefused)
		default: // closed, or broken
			s.close(plain(err))
			return
		}
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

// fail ends every call in flight with err; the socket stays good.
func (s *udpSocket) fail(err error) {
	s.mu.Lock()
	failed := s.calls
	s.calls = make(map[uint16]*call)
	s.mu.Unlock()
	for _, c := range failed {
		c.done <- outcome{err: err}
	}
}

// retire closes a socket that nothing was asked on since the last look.
func (s *udpSocket) retire() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used || len(s.calls) > 0 {
		s.used = false
		return false
	}
	s.err = errClosed
	return true
}

func (s *udpSocket) close(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.mu.Unlock()
	s.conn.Close()
	s.fail(err)
}
